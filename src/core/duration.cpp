#include "core/duration.h"

#include <array>
#include <charconv>
#include <cmath>
#include <utility>

namespace vtax {
namespace {

constexpr std::array<std::pair<std::string_view, double>, 7> kDurationUnits{
    {{"", 1}, {"s", 1}, {"ms", 1e-3}, {"us", 1e-6}, {"m", 60}, {"min", 60}, {"h", 3600}}};

}  // namespace

std::optional<std::chrono::duration<double>> parse_duration(std::string_view text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || !std::isfinite(value) || value < 0) return std::nullopt;
  std::string_view unit = text.substr(static_cast<std::size_t>(end - text.data()));
  if (unit.starts_with(' ')) unit.remove_prefix(1);
  for (const auto& [name, seconds] : kDurationUnits)
    if (unit == name) return std::chrono::duration<double>(value * seconds);
  return std::nullopt;
}

}  // namespace vtax
