#pragma once

#include <chrono>
#include <optional>
#include <string_view>

namespace vtax {

// A length of time as people write it: "10", which is seconds, "2.5s", "250ms", "20us", "5m", "5min", "1h";
// nothing where it is none, or negative.
[[nodiscard]] std::optional<std::chrono::duration<double>> parse_duration(std::string_view text);

}  // namespace vtax
