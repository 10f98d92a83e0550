#pragma once

#include <ostream>

#include "core/result.h"
#include "record/run_reader.h"

namespace vtax {

// The run's trials, a line each: the place in the plan, by which `--trial` names one; platform and work, and
// what it cost or that it failed. 80 columns, where names allow it.
[[nodiscard]] Result<> write_trial_list(RunReader& reader, std::ostream& out);

}  // namespace vtax
