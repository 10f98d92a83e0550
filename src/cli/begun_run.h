#pragma once

#include "cli/run_options.h"
#include "core/result.h"
#include "study/study.h"

namespace vtax {

// Whether `--resume` names a run file, which says what it was begun with.
[[nodiscard]] bool is_run_file(const RunOptions& options);

// The study of that run file; `options` become those that it was begun with. Errors: usage; other options
// stand beside it, or it does not say how it was begun; those of RunReader::open() and parse_study().
[[nodiscard]] Result<Study> take_from_run_file(RunOptions& options);

}  // namespace vtax
