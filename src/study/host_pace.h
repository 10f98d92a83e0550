#pragma once

#include <vector>

#include "study/meaning.h"

namespace vtax {

// Seconds that a trial on this computer takes, with its platform's making: rough (docs/benchmarks.md).
[[nodiscard]] double host_trial_seconds(const PlanCell& cell);

// How often a study runs on the host that says nothing of it: five times, which give an interval, or as often
// as some ten minutes allow, at least once.
[[nodiscard]] int host_repetitions(const std::vector<PlanCell>& cells);

}  // namespace vtax
