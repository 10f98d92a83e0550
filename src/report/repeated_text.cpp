#include "report/repeated_text.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/readable.h"
#include "core/statistics.h"
#include "query/cost_text.h"
#include "query/phrase.h"
#include "query/repetitions.h"
#include "query/sensitivity.h"

namespace vtax {

std::string repetitions_text(const RunCosts& costs, const Comparison& comparison, const Cell& cell,
                             Unit unit) {
  if (costs.is_exact && cell.runs.size() < 2) return "";
  const auto samples = samples_of(cell, unit);
  if (samples.empty()) return "no work was counted";
  const auto shown = [&](double value) { return cost_text(value, cell.cost()->in_time); };
  const auto [low, high] = std::minmax_element(samples.begin(), samples.end());
  const std::string_view one = costs.is_exact ? "start" : "run";
  const std::string runs = fmt::format("{} {}{}", samples.size(), one, samples.size() == 1 ? "" : "s");
  std::string text = *low == *high && samples.size() > 1
                         ? fmt::format("{}, {}{} per {}", runs, cell.identical ? "identical, " : "all ",
                                       shown(*low), noun(unit, cell.workload()))
                         : fmt::format("{}, {} to {} per {}, median {}", runs, shown(*low), shown(*high),
                                       noun(unit, cell.workload()), shown(*lower_median(samples)));
  const auto interval = cost_interval(cell, unit);
  text += interval ? fmt::format(", {} {} to {}", name_of(*interval), shown(interval->range.low),
                                 shown(interval->range.high))
                   : fmt::format(", too few for an interval ({} give one)", kLeastForInterval);
  if (const auto taxes = tax_interval(comparison, cell, unit))
    text += fmt::format("; tax {:.2f} to {:.2f}", taxes->low, taxes->high);
  const auto test = against_native(comparison, cell);
  if (!test) return text;
  if (test->is_too_few) return text + "; too few to tell it from native (--reps 4 at least)";
  return text + fmt::format("; against native: {}, p {:.2g}, Cliff's delta {:+.2f} ({})",
                            test->is_shown() ? "differs" : "~ no difference shown", *test->p, *test->delta,
                            effect_size(*test->delta));
}

std::string sensitivity_text(const Comparison& comparison, const Cell& cell, Unit unit) {
  const auto range = sensitivity(cell);
  if (!range) return "";
  const double base = per_unit(cell.cost()->total, cell.cost()->work, unit).value_or(0);
  std::string text =
      fmt::format("sensitivity: {} to {} per {} ({:+.2f} to {:+.2f} %) with {} perturbed",
                  readable(range->low), readable(range->high), noun(unit, cell.workload()),
                  100 * (range->low / base - 1), 100 * (range->high / base - 1), variations_text(cell));
  if (const auto taxes = tax_sensitivity(comparison, cell))
    text += fmt::format("; tax {:.2f} to {:.2f}", taxes->low, taxes->high);
  return text;
}

std::string unlike_packets_text(const Comparison& comparison, const Cell& cell) {
  const Cell* native = comparison.native();
  if (native == nullptr || native->cost() == nullptr) return "";
  const Work &base = native->cost()->work, &own = cell.cost()->work;
  const auto units = units_of(base);
  if (std::find(units.begin(), units.end(), Unit::packet) == units.end() || are_packets_alike(base, own))
    return "";
  return fmt::format(
      "its packets are not native's: {} carry what {} do there, so that per packet there is no tax",
      with_thousands(own.packets.value), with_thousands(base.packets.value));
}

std::string ticks_text(const Cell& cell) {
  constexpr std::uint64_t kFewTicksNs = 50'000'000;
  const std::uint64_t program = cell.cost()->of(Layer::program);
  if (!cell.cost()->in_time || program >= kFewTicksNs) return "";
  if (program == 0)
    return cell.workload() == "program"
               ? "programs had less time than the ticks tell that divide it: it is among the kernel's"
               : "";
  return fmt::format(
      "{} ms of programs' time are a matter of a few ticks: a longer window tells it from the kernel's",
      readable(static_cast<double>(program) * 1e-6));
}

}  // namespace vtax
