#pragma once

#include <cstdint>
#include <optional>

namespace vtax {

// How many processes the kernel has killed for want of memory in this process's control group so far; nothing
// where it does not say (no control group with a memory limit can be seen). A guest that is killed so leaves
// no word of its own.
[[nodiscard]] std::optional<std::uint64_t> memory_kills();

}  // namespace vtax
