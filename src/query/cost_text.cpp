#include "query/cost_text.h"

#include <fmt/format.h>

#include <array>
#include <cmath>

#include "core/readable.h"

namespace vtax {
namespace {

struct TimeUnit {
  double ns;
  std::string_view name, of_cpu_time;
};
constexpr std::array<TimeUnit, 4> kTimeUnits{{{1e9, "s", "s of CPU time"},
                                              {1e6, "ms", "ms of CPU time"},
                                              {1e3, "us", "us of CPU time"},
                                              {1, "ns", "ns of CPU time"}}};

// As it is rounded: 999.6 ns are 1.00 us.
const TimeUnit& unit_of_time(double ns) {
  constexpr double kRoundsUp = 0.9995;
  for (const TimeUnit& unit : kTimeUnits)
    if (std::fabs(ns) >= kRoundsUp * unit.ns) return unit;
  return kTimeUnits.back();
}

}  // namespace

std::string cost_text(double value, bool is_in_time) {
  if (!is_in_time || value == 0 || !std::isfinite(value)) return readable(value);
  const TimeUnit& unit = unit_of_time(value);
  return fmt::format("{} {}", readable(value / unit.ns), unit.name);
}

std::string cost_with_unit(double value, bool is_in_time) {
  return cost_text(value, is_in_time) + (is_in_time ? " of CPU time" : " instructions");
}

CostUnit cost_unit(double greatest, bool is_in_time) {
  if (!is_in_time) return {1, "instructions", false};
  const TimeUnit& unit = unit_of_time(greatest);
  return {unit.ns, unit.of_cpu_time, true};
}

std::string CostUnit::figure(double value) const {
  const double shown = value / size;
  return is_time && size > 1 && shown != 0 && std::fabs(shown) < 1 ? fmt::format("{:.3g}", shown)
                                                                   : readable(shown);
}

}  // namespace vtax
