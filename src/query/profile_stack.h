#pragma once

#include <array>
#include <span>
#include <string>

#include "query/profile.h"

namespace vtax {

// Where a function stands in flame graphs, the outermost first: domain, layer (with its part), image,
// function. Printable.
[[nodiscard]] std::array<std::string, 4> stack_of(const FunctionCost& cost);

// "driver kernel", "hypervisor".
[[nodiscard]] std::string layer_text(const FunctionCost& cost);

// Of functions[place], the outermost first; empty where they are not known.
[[nodiscard]] std::span<const Caller> callers_of(const Profile& profile, std::size_t place);

}  // namespace vtax
