#pragma once

#include <functional>
#include <nlohmann/json.hpp>

#include "controller/trial_plan.h"
#include "core/result.h"
#include "platform/platform.h"

namespace vtax::controller {

// The unit of the quiet times around the work, longer than Linux's longest delayed acknowledgement (200 ms).
inline constexpr std::chrono::milliseconds kLabSettle{500};

// How often each of so many guests marks its progress in the window: 32 marks in all, but enough of each.
[[nodiscard]] unsigned marks_of_each(std::size_t guests);

// Called with nothing going on: just before the window's work, and just after it. With them the window is the
// time between the two, and the controller marks it; without, it is the work alone, and its ends do.
struct WindowHooks {
  std::function<Result<>()> before, after;
  std::function<void(nlohmann::json& result)> describe = {};  // adds to the lab's message `result`
};

// Connects the two ends, warms up, runs the window and checks that exactly the ordered work was done on both
// sides. The answer is the message `result` without its modules. May be called again with the same bench, for
// repetition 2, 3, ...: each has connections of its own.
[[nodiscard]] Result<nlohmann::json> run_trial(const TrialPlan& plan, Bench& bench,
                                               std::chrono::milliseconds settle = kLabSettle,
                                               const WindowHooks& hooks = {}, int repetition = 1);

}  // namespace vtax::controller
