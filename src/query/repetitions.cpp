#include "query/repetitions.h"

#include <fmt/format.h>

namespace vtax {

std::vector<double> samples_of(const Cell& cell, Unit unit) {
  std::vector<double> samples;
  for (const WindowCost& run : cell.runs) {
    if (const auto cost = per_unit(run.total, run.work, unit)) samples.push_back(*cost);
  }
  return samples;
}

std::vector<double> samples_of(const Cell& cell) {
  std::vector<double> samples;
  for (const WindowCost& run : cell.runs) samples.push_back(cost_per_unit(run));
  return samples;
}

std::optional<SampleInterval> cost_interval(const Cell& cell, Unit unit) {
  return sample_interval(samples_of(cell, unit));
}

std::optional<TwoSamples> against_native(const Comparison& comparison, const Cell& cell) {
  const Cell* native = comparison.native();
  if (native == nullptr || native == &cell || !native->cost() || !cell.cost()) return std::nullopt;
  return compare_samples(samples_of(*native), samples_of(cell));
}

std::optional<Interval> tax_interval(const Comparison& comparison, const Cell& cell, Unit unit) {
  const Cell* native = comparison.native();
  if (native == nullptr || native == &cell || !tax(comparison, cell, unit)) return std::nullopt;
  return ratio_interval(samples_of(*native, unit), samples_of(cell, unit));
}

std::string marked_tax(const Comparison& comparison, const Cell& cell, Unit unit) {
  const auto value = tax(comparison, cell, unit);
  if (!value) return "-";
  const std::string text = fmt::format("{:.2f}", *value);
  const Cell* native = comparison.native();
  if (native == nullptr || native == &cell) return text;
  const auto samples = compare_samples(samples_of(*native, unit), samples_of(cell, unit));
  if (samples.is_too_few) return text + "?";
  return samples.is_shown() ? text : "~" + text;
}

std::string meaning_of_marks(const std::vector<Comparison>& comparisons) {
  bool has_too_few = false, has_alike = false;
  for (const Comparison& comparison : comparisons) {
    for (const Cell* cell : comparison.cells) {
      const auto samples = against_native(comparison, *cell);
      has_too_few = has_too_few || (samples && samples->is_too_few);
      has_alike = has_alike || (samples && !samples->is_too_few && !samples->is_shown());
    }
  }
  std::string text;
  if (has_alike) text += "~: the repetitions show no difference to native.";
  if (has_too_few)
    text +=
        fmt::format("{}?: too few repetitions to tell it from native (4 of each do).", has_alike ? " " : "");
  return text;
}

std::string name_of(const SampleInterval& interval) {
  return fmt::format("{:.0f} % interval", 100 * interval.confidence);
}

}  // namespace vtax
