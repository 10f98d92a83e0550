#include "query/sensitivity.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "core/readable.h"

namespace vtax {
namespace {

std::optional<double> first_unit_cost(std::uint64_t total, const Work& work) {
  const auto units = units_of(work);
  return units.empty() ? std::nullopt : per_unit(total, work, units.front());
}

void widen(Interval& range, double value) {
  range.low = std::min(range.low, value);
  range.high = std::max(range.high, value);
}

}  // namespace

std::optional<Interval> sensitivity(const Cell& cell) {
  if (!cell.cost() || cell.perturbed.empty()) return std::nullopt;
  const auto base = first_unit_cost(cell.cost()->total, cell.cost()->work);
  if (!base) return std::nullopt;
  Interval range{*base, *base};
  for (const PerturbedRun& run : cell.perturbed) {
    if (const auto cost = first_unit_cost(run.total, run.work)) widen(range, *cost);
  }
  return range;
}

std::optional<Interval> tax_sensitivity(const Comparison& comparison, const Cell& cell) {
  const Cell* native = comparison.native();
  if (native == nullptr || native == &cell || !cell.cost() || cell.perturbed.empty()) return std::nullopt;
  const auto units = units_of(cell.cost()->work);
  if (units.empty()) return std::nullopt;
  const auto base = tax(comparison, cell, units.front());
  if (!base) return std::nullopt;
  Interval range{*base, *base};
  for (const PerturbedRun& run : cell.perturbed) {
    const auto other = std::find_if(native->perturbed.begin(), native->perturbed.end(),
                                    [&](const PerturbedRun& r) { return r.variation == run.variation; });
    if (other == native->perturbed.end()) continue;
    const auto cost = first_unit_cost(run.total, run.work),
               beside = first_unit_cost(other->total, other->work);
    if (cost && beside && *beside > 0) widen(range, *cost / *beside);
  }
  return range;
}

std::string variations_text(const Cell& cell) {
  std::map<std::string, int> times;
  for (const PerturbedRun& run : cell.perturbed) ++times[run.variation.substr(0, run.variation.rfind('-'))];
  std::string out;
  for (const auto& [kind, count] : times)
    out +=
        fmt::format("{}{} {} time{}", out.empty() ? "" : ", ", printable(kind), count, count == 1 ? "" : "s");
  return out;
}

}  // namespace vtax
