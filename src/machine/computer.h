#pragma once

#include <string>

namespace vtax {

// The computer that measures, as a JSON object: "kernel", "kernel_build", "architecture", "processor",
// "cpus".
[[nodiscard]] std::string facts_of_this_computer();

}  // namespace vtax
