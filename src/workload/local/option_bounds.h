#pragma once

#include <chrono>
#include <cstdint>
#include <string_view>

#include "core/result.h"

// Options of the local workloads, checked strictly: whatever is asked is done, or an error says what can be.
namespace vtax {

// `value` of `option` is to be from `least` to `most`, both inclusive.
[[nodiscard]] Result<> within(std::string_view option, std::uint64_t value, std::uint64_t least,
                              std::uint64_t most);
[[nodiscard]] Result<> within(std::string_view option, std::chrono::nanoseconds value,
                              std::chrono::nanoseconds least, std::chrono::nanoseconds most);

// An allocation of `bytes` is to fit into what /proc/meminfo calls available; fine where it does not tell.
[[nodiscard]] Result<> fits_in_memory(std::string_view what, std::uint64_t bytes);

inline constexpr std::chrono::nanoseconds kLongestRun = std::chrono::hours(24);
inline constexpr std::uint64_t kMostThreads = 1024;

}  // namespace vtax
