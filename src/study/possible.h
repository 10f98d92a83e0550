#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "study/meaning.h"

namespace vtax {

// The cells of `pass` that their platform can do on this machine. The others are left out, and `notes` says
// which and why: a study that compares seven platforms is no worse for the one that has no disk. Errors:
// usage, where nothing is left; `what` begins it.
[[nodiscard]] Result<std::vector<PlanCell>> only_possible(std::string_view machine,
                                                          std::vector<PlanCell> pass, const std::string& what,
                                                          std::vector<std::string>& notes);

}  // namespace vtax
