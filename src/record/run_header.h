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

// What keeps a run from going on in a file that holds `stored`: "" when nothing does, else up to three
// differences. What the run is made from is not looked at, and where the user's own files lie may differ.
[[nodiscard]] std::string resume_differences(const Run& stored, const Run& wanted);

// What the run is made from, beside its settings: a JSON object of names and their content's hashes, in the
// settings' field "made_from". It is not known yet when the file is made.
[[nodiscard]] std::optional<std::string> made_from(const Run& header);
[[nodiscard]] Result<> set_made_from(Database& database, const std::string& json);
// As resume_differences().
[[nodiscard]] std::string made_from_differences(const std::string& stored, const std::string& wanted);

}  // namespace vtax
