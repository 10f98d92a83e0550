#pragma once

#include <fmt/format.h>

#include <cmath>
#include <string>

#include "advise/server.h"
#include "core/readable.h"

// Figures of advice for people: what is more than nothing is not printed as 0, what is large has commas.
namespace vtax::advise {

// 0.247 -> "25 %", 0.001 -> "less than 1 %".
[[nodiscard]] inline std::string percent_text(double share) {
  constexpr double kLeast = 0.5, kLarge = 1000;
  const double percent = kPercent * share;
  if (percent > 0 && percent < kLeast) return "less than 1 %";
  return percent < kLarge ? fmt::format("{:.0f} %", percent) : readable(percent) + " %";
}

[[nodiscard]] inline std::string figure_text(double value) {
  constexpr double kLeast = 0.01;
  return value != 0 && std::abs(value) < kLeast ? fmt::format("{:.3g}", value) : readable(value);
}

}  // namespace vtax::advise
