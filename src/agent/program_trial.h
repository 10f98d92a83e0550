#pragma once

#include <nlohmann/json.hpp>

#include "agent/plan.h"
#include "agent/trial.h"
#include "core/result.h"
#include "platform/platform.h"

namespace vtax::agent {

// The plan's client in each system under test or in its partner, with the server in the other one, where
// there is a server, all at once; the answer is the message `result` without its modules. Each repetition has
// a server of its own, and a warm-up run. `looks`: the warm-up also tells which files were executed where,
// and the result has them as "mapped":
// [{"domain" (empty: the driver domain or host), "cpu" (-1: any), "file", "called" (by a link; or empty),
// "begin", "end", "offset"}, ...].
[[nodiscard]] Result<nlohmann::json> run_program_trial(const Plan& plan, Bench& bench, const Setup& setup,
                                                       bool looks,
                                                       std::chrono::milliseconds settle = lab_settle);

}  // namespace vtax::agent
