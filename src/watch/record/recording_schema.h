#pragma once

#include <cstdint>

#include "core/result.h"
#include "record/database.h"
#include "record/schema.h"

// A recording's layout: a run file of another kind, with readings in place of trials. One row a reading, and
// for it a row a guest, virtual CPU, CPU and sentence. What is not known is NULL. Texts are kept once, as in
// a run of trials (record/schema.h).
namespace vtax::watch {

// user_version in the file's header.
inline constexpr std::uint32_t kRecordingVersion = kFirstVersionWithoutTrials;

[[nodiscard]] Result<> create_recording_schema(Database& database);

// Fails unless the file is a recording and holds exactly the objects of create_recording_schema.
[[nodiscard]] Result<> check_recording_schema(Database& database);

}  // namespace vtax::watch
