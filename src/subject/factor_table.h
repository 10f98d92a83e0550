#pragma once

#include <string_view>
#include <vector>

#include "subject/factor.h"

namespace vtax {

// Factors of every trial, whatever its workload; the first varies slowest in a plan.
[[nodiscard]] const std::vector<Factor>& common_factors();

// Null where there is none of this name.
[[nodiscard]] const Factor* find_factor(const std::vector<Factor>& factors, std::string_view name);

}  // namespace vtax
