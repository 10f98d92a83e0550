#pragma once

#include <cstdint>
#include <set>

#include "core/result.h"
#include "study/plan.h"

namespace vtax {

// `vtax run --dry-run`: says what those trials of the plan come to, and measures nothing. Cells that were
// left out and why, machines that must boot, what is fetched or missing here, and about how long it takes.
// Errors: the lab's, for a trial that no machine can be made for.
[[nodiscard]] Result<> say_what_would_run(const Plan& plan, const std::set<std::uint64_t>& places, int jobs);

}  // namespace vtax
