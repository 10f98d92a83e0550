#pragma once

#include <optional>
#include <string>

#include "core/result.h"
#include "record/database.h"
#include "record/trial.h"

namespace vtax {

// The table `run`: all of a Run but its trials.
[[nodiscard]] Result<> write_run_header(Database& database, const Run& header);
[[nodiscard]] Result<Run> read_run_header(Database& database);

// Settings: the share of the plan that the file is of (study/shard.h), and where a merged run comes from
// (record/merge.h).
inline constexpr const char* kShard = "shard";
inline constexpr const char* kMergedFrom = "merged_from";

// How two runs are called in words.
struct TwoRuns {
  std::string first = "the file has", second = "this run";
};

// What keeps a run from going on in a file that holds `stored`: "" when nothing does, else up to three
// differences. What the run is made from is not looked at, and where the user's own files lie may differ.
[[nodiscard]] std::string resume_differences(const Run& stored, const Run& wanted);

// The same of two that are to become one: they may be different shares.
[[nodiscard]] std::string merge_differences(const Run& a, const Run& b, const TwoRuns& names);

// What the run is made from, beside its settings: a JSON object of names and their content's hashes, in the
// settings' field "made_from". It is not known yet when the file is made.
[[nodiscard]] std::optional<std::string> made_from(const Run& header);
[[nodiscard]] Result<> set_made_from(Database& database, const std::string& json);
// As resume_differences().
[[nodiscard]] std::string made_from_differences(const std::string& stored, const std::string& wanted,
                                                const TwoRuns& names = {});

}  // namespace vtax
