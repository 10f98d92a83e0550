#pragma once

#include <nlohmann/json.hpp>

#include "agent/plan.h"
#include "agent/trial.h"
#include "core/result.h"
#include "platform/platform.h"

namespace vtax::agent {

// The plan's requests to a web server in each system under test, or in its partner (direction "send"), all at
// once; the answer is the message `result` without its modules. What either end says was done must be what
// was ordered.
[[nodiscard]] Result<nlohmann::json> run_http_trial(const Plan& plan, Bench& bench,
                                                    std::chrono::milliseconds settle = lab_settle,
                                                    const WindowHooks& hooks = {});

}  // namespace vtax::agent
