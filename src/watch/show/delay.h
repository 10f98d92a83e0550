#pragma once

#include <chrono>
#include <string_view>

#include "core/result.h"

namespace vtax::watch {

// Seconds between two readings, a fraction too: "2", "0.25". Error: not a number, below 0.05 or above a day.
[[nodiscard]] Result<std::chrono::nanoseconds> parse_delay(std::string_view text);

}  // namespace vtax::watch
