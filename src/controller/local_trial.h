#pragma once

#include <nlohmann/json.hpp>

#include "controller/trial.h"
#include "controller/trial_plan.h"
#include "core/result.h"
#include "platform/platform.h"

namespace vtax::controller {

// The plan's local work in all systems under test at once, without traffic; the answer is the message
// `result` without its modules. `disks`: of the first system, the second, ..., as each sees its own. May be
// called again with the same bench.
[[nodiscard]] Result<nlohmann::json> run_local_trial(const TrialPlan& plan, Bench& bench,
                                                     const std::vector<std::string>& disks,
                                                     std::chrono::milliseconds settle,
                                                     const WindowHooks& hooks);

}  // namespace vtax::controller
