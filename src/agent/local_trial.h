#pragma once

#include <nlohmann/json.hpp>

#include "agent/plan.h"
#include "core/result.h"
#include "platform/platform.h"

namespace vtax::agent {

// The plan's local work in all systems under test at once, without traffic; the answer is the message
// `result` without its modules.
[[nodiscard]] Result<nlohmann::json> run_local_trial(const Plan& plan, Bench& bench);

}  // namespace vtax::agent
