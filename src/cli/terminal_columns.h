#pragma once

#include <cstddef>

namespace vtax {

// Lines longer than this are hard to read; a table is not.
inline constexpr std::size_t kMostTextColumns = 160;

// How wide the terminal of the standard output is, from `least` to `most`; 80 where it leads elsewhere.
[[nodiscard]] std::size_t terminal_columns(std::size_t least = 60, std::size_t most = kMostTextColumns);

}  // namespace vtax
