#pragma once

#include <cstddef>

namespace vtax {

// How wide the terminal of the standard output is, from 60 to 160; 80 where it leads elsewhere.
[[nodiscard]] std::size_t terminal_columns();

}  // namespace vtax
