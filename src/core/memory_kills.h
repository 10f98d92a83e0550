#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace vtax {

// How many processes the kernel has killed for want of memory so far: in this process's control group, or in
// all where no such group with a memory limit can be seen; nothing where it does not say. What is killed so
// leaves no word of its own.
[[nodiscard]] std::optional<std::uint64_t> memory_kills();

// Behind how something has ended: "; the kernel has killed for want of memory meanwhile: WHY" where those are
// more than the `before` of its begin.
[[nodiscard]] std::string want_of_memory_since(std::optional<std::uint64_t> before, std::string_view why);

}  // namespace vtax
