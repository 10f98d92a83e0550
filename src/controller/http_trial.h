#pragma once

#include <nlohmann/json.hpp>

#include "controller/trial.h"
#include "controller/trial_plan.h"
#include "core/result.h"
#include "platform/platform.h"

namespace vtax::controller {

// The plan's requests to a web server in each system under test, or in its partner (direction "send"), all at
// once; the answer is the message `result` without its modules. What either end says was done must be what
// was ordered.
[[nodiscard]] Result<nlohmann::json> run_http_trial(const TrialPlan& plan, Bench& bench,
                                                    std::chrono::milliseconds settle = kLabSettle,
                                                    const WindowHooks& hooks = {});

}  // namespace vtax::controller
