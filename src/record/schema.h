#pragma once

#include "core/result.h"
#include "record/database.h"

// The run file's layout. Names are kept once (table `string`) and referred to by number: a run repeats few
// names many times. The views show them in words, for people with a SQLite shell; vtax never reads the views.
namespace vtax {

inline constexpr std::uint32_t kApplicationId = 0x56544158;  // "VTAX", in the file's header
inline constexpr std::uint32_t kSchemaVersion = 1;           // user_version in the file's header

// Makes the tables; to be called inside a transaction.
[[nodiscard]] Result<> create_schema(Database& database);

// Fails unless the file holds exactly the objects that create_schema makes: whatever else stands in a foreign
// file (views in a table's place, triggers) is refused before it is used.
[[nodiscard]] Result<> check_schema(Database& database);

// A file whose writer was killed before its first commit, or an empty one.
[[nodiscard]] Result<bool> is_blank(Database& database);

}  // namespace vtax
