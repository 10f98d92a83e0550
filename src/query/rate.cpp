#include "query/rate.h"

#include <fmt/format.h>

#include "query/measured.h"
#include "query/phrase.h"

namespace vtax {
namespace {

constexpr double kBitsOfMegabit = 1e6, kBitsOfKilobyte = 8 * 1024;

}  // namespace

double rate_of_units(Unit unit, double units_per_second) {
  return unit == Unit::kilobyte ? units_per_second * kBitsOfKilobyte / kBitsOfMegabit : units_per_second;
}

double units_at_rate(Unit unit, double rate) {
  return unit == Unit::kilobyte ? rate * kBitsOfMegabit / kBitsOfKilobyte : rate;
}

std::optional<double> units_done(const WindowCost& cost) {
  const auto units = units_of(cost.work);
  if (units.empty()) return std::nullopt;
  const auto one = per_unit(1, cost.work, units.front());
  return one ? std::optional(1 / *one) : std::nullopt;
}

std::optional<double> measured_rate(const WindowCost& cost) {
  const auto units = units_done(cost);
  if (!units || cost.window_ns == 0 || !has_own_time(cost)) return std::nullopt;
  return rate_of_units(units_of(cost.work).front(), *units / (static_cast<double>(cost.window_ns) * 1e-9));
}

std::string_view unit_of_rate(Unit unit) {
  switch (unit) {
    case Unit::kilobyte:
      return "Mb/s";
    case Unit::transaction:
      return "transactions/s";
    case Unit::packet:
      return "packets/s";
  }
  return "?";
}

std::string rate_noun(Unit unit, const std::string& workload) {
  return unit == Unit::transaction ? fmt::format("{}s/s", noun(unit, workload))
                                   : std::string(unit_of_rate(unit));
}

}  // namespace vtax
