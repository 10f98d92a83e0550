#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "core/result.h"
#include "study/plan.h"

namespace vtax {

// `vtax run --dry-run`: says what those trials of the plan come to, and measures nothing. Cells that were
// left out and why, machines that must boot, what is fetched or missing here, and about how long it takes.
// Errors: the lab's, for a trial that no machine can be made for.
[[nodiscard]] Result<> say_what_would_run(const Plan& plan, const std::set<std::uint64_t>& places, int jobs);

// "some 4 minutes": how long those trials take here, boots included, downloads not; rough. Errors: as above.
[[nodiscard]] Result<std::string> expected_time(const Plan& plan, const std::set<std::uint64_t>& places,
                                                int jobs);

// What of this computer speaks against what the plan would measure on it; empty for the lab.
[[nodiscard]] std::vector<std::string> doubts_of_host(const Plan& plan);

}  // namespace vtax
