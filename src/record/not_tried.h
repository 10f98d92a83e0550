#pragma once

#include <functional>
#include <string>
#include <vector>

#include "core/result.h"
#include "record/trial.h"

namespace vtax {

// What would fail the same for every trial of a machine is tried no further: `trials` are recorded with the
// reason as their error, and `--resume` tries them again. Heard of once for all of them; an Error ends the
// run.
using OnNotTried = std::function<Result<>(const Error& why, std::vector<Trial> trials)>;

inline constexpr char kNotTried[] = "not tried: ";

// Gives the trials their error and hands them over; to `on_finished`, one after the other, where nobody asks
// for them as a whole.
[[nodiscard]] Result<> leave_untried(std::vector<Trial> trials, const Error& why,
                                     const OnNotTried& on_not_tried,
                                     const std::function<Result<>(Trial trial)>& on_finished);

// Whether two failures have the same words; their numbers, as a domain's or a process's, may differ.
[[nodiscard]] bool is_same_failure(const Error& a, const Error& b);

}  // namespace vtax
