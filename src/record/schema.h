#pragma once

#include "core/result.h"
#include "record/database.h"

// The run file's layout. Names are kept once (table `string`) and referred to by number: a run repeats few
// names many times. The views show them in words, for people with a SQLite shell; vtax never reads the views.
namespace vtax {

inline constexpr std::uint32_t kApplicationId = 0x56544158;  // "VTAX", in the file's header
// user_version in the file's header; 1 has no guest_work, 2 no timeline, 3 none of the real host, 4 no calls,
// seals, waiting or busy, 5 no schedule.
inline constexpr std::uint32_t kSchemaVersion = 6;
// From here on: files without trials (watch/record/recording_schema.h).
inline constexpr std::uint32_t kFirstVersionWithoutTrials = 1001;

// Makes the tables; to be called inside a transaction.
[[nodiscard]] Result<> create_schema(Database& database);

// The file's schema version. Fails unless it holds exactly the objects that create_schema, of this or an
// older version, makes: whatever else stands in a foreign
// file (views in a table's place, triggers) is refused before it is used.
[[nodiscard]] Result<std::uint32_t> check_schema(Database& database);

// A file whose writer was killed before its first commit, or an empty one.
[[nodiscard]] Result<bool> is_blank(Database& database);

}  // namespace vtax
