#pragma once

#include <array>
#include <string>

#include "record/trial.h"

namespace vtax {

// Where a function stands in flame graphs, the outermost first: domain, layer (with its part), image,
// function. Printable.
[[nodiscard]] std::array<std::string, 4> stack_of(const FunctionCost& cost);

// "driver kernel", "hypervisor".
[[nodiscard]] std::string layer_text(const FunctionCost& cost);

}  // namespace vtax
