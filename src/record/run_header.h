#pragma once

#include "core/result.h"
#include "record/database.h"
#include "record/trial.h"

namespace vtax {

// The table `run`: all of a Run but its trials.
[[nodiscard]] Result<> write_run_header(Database& database, const Run& header);
[[nodiscard]] Result<Run> read_run_header(Database& database);

// What keeps a run from going on in a file that holds `stored`: "" when nothing does, else up to three
// differences.
[[nodiscard]] std::string resume_differences(const Run& stored, const Run& wanted);

}  // namespace vtax
