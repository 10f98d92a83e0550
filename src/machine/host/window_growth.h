#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <nlohmann/json.hpp>

#include "controller/trial_plan.h"
#include "core/result.h"

// How a window on the host comes to last as long as factor window_ms says: its work is tried without being
// measured, and there is more of it until it lasts so long, as benchmarks do. What is measured then is one
// window of a fixed amount of work, as ever.
namespace vtax::host {

// How long the plan's window lasted, tried for the `number`th time (1, 2, ...).
using TryWindow =
    std::function<Result<std::chrono::nanoseconds>(const controller::TrialPlan& plan, int number)>;

struct Growth {
  int tries = 0;
  std::uint64_t from = 0, to = 0;  // of the amount, as its factor counts it (amount_of())
};

// Multiplies the plan's amount of work until the window lasts `window_ms`, within what a computer's own speed
// varies between two tries, up to the most that the amount's factor allows. Never less than the amount was.
// Nothing is tried where window_ms is 0. Errors: those of `try_window`.
[[nodiscard]] Result<Growth> grow_window(controller::TrialPlan& plan, const TryWindow& try_window);

// For the trial's provenance: {"factor": "bytes", "from", "to", "tries"}.
[[nodiscard]] nlohmann::json to_json(const Growth& growth, WorkloadId workload);

}  // namespace vtax::host
