#include "report/answer.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

#include "core/readable.h"
#include "query/phrase.h"
#include "query/repetitions.h"

namespace vtax {
namespace {

// In a sentence nobody reads nine figures; the tables have them.
std::string figure(double value) {
  if (value >= 1e9) return readable(value * 1e-9) + " billion";
  return value >= 1e6 ? readable(value * 1e-6) + " million" : readable(value);
}

// Who pays by executing; empty for the time and the instructions that nobody does.
std::string_view payer(Layer layer, bool is_guest) {
  switch (layer) {
    case Layer::hypervisor:
      return "the hypervisor";
    case Layer::driver:
      return "the driver domain";
    case Layer::kernel:
      return is_guest ? "the guest's kernel" : "the kernel";
    case Layer::program:
      return is_guest ? "the guest's program" : "the program";
    case Layer::idle:
    case Layer::uncharged:
    case Layer::elsewhere:
      break;
  }
  return "";
}

// "The driver domain pays 41 % of it, the hypervisor 30 %, the guest's kernel 25 %; 4 % could not be
// charged."
std::string payers(const WindowCost& cost) {
  const bool is_guest = cost.of(Layer::driver) + cost.of(Layer::hypervisor) > 0;
  std::array<Layer, kLayers.size()> layers = kLayers;
  std::stable_sort(layers.begin(), layers.end(), [&](Layer a, Layer b) { return cost.of(a) > cost.of(b); });
  std::string out, rest;
  for (const Layer layer : layers) {
    const double share = 100 * static_cast<double>(cost.of(layer)) /
                         static_cast<double>(std::max<std::uint64_t>(cost.total, 1));
    if (share < 5) continue;
    const std::string_view who = payer(layer, is_guest);
    if (who.empty())
      rest += fmt::format("{}{:.0f} % {}", rest.empty() ? "" : ", ", share,
                          layer == Layer::idle ? "is idling" : "could not be charged to anyone");
    else
      out += fmt::format("{}{}{} {:.0f} %{}", out.empty() ? "" : ", ", who, out.empty() ? " pays" : "", share,
                         out.empty() ? " of it" : "");
  }
  if (!out.empty()) out[0] = static_cast<char>(out[0] - 'a' + 'A');
  if (!out.empty() && !rest.empty()) out += "; ";
  return out + rest + ".";
}

// What the sentence would claim of a cell is that it costs so much more, or less, than native: its interval
// must be narrower than that. Without one the sentence says so.
bool can_be_claimed(double tax, const std::optional<Interval>& interval) {
  return !interval || interval->high - interval->low < std::abs(tax - 1);
}

std::optional<Headline> headline_of(const std::vector<Comparison>& comparisons, Unit unit) {
  std::vector<Headline> all;
  for (const Comparison& comparison : comparisons) {
    for (const Cell* cell : comparison.cells) {
      if (cell->platform() == "native" || !cell->cost() || units_of(cell->cost()->work).empty() ||
          units_of(cell->cost()->work).front() != unit)
        continue;
      const auto t = tax(comparison, *cell, unit);
      if (!t) continue;
      Headline one{&comparison, cell, unit, *t, *t};
      one.interval = tax_interval(comparison, *cell, unit);
      one.is_undecided = !can_be_claimed(*t, one.interval);
      all.push_back(one);
    }
  }
  // What repetitions carry goes before what they are too few for, and that before what they contradict.
  const auto rank = [](const Headline& one) { return one.is_undecided ? 0 : one.interval ? 2 : 1; };
  const auto best = std::max_element(all.begin(), all.end(), [&](const Headline& a, const Headline& b) {
    return std::pair(rank(a), a.tax) < std::pair(rank(b), b.tax);
  });
  if (best == all.end()) return std::nullopt;
  Headline out = *best;
  for (const Headline& one : all) {
    if (one.cell->platform() != out.cell->platform()) continue;
    if (rank(one) < rank(out))
      ++out.left_out;
    else
      out.least_tax = std::min(out.least_tax, one.tax);
  }
  return out;
}

// Where the repetitions do not carry the sentence.
std::string doubt(const Headline& best) {
  if (!best.interval) return " But the repetitions are too few to tell it from native: 4 of each do.";
  if (best.left_out == 0) return "";
  const bool is_one = best.left_out == 1;
  return fmt::format(
      " {} of {} {} left out: {} repetitions are too few, or spread by more than {} from native.",
      is_one ? "A cell" : fmt::format("{} cells", best.left_out), printable(best.cell->platform()),
      is_one ? "is" : "are", is_one ? "its" : "their", is_one ? "it differs" : "they differ");
}

// "a KB", "an operation".
std::string with_article(std::string_view thing) {
  constexpr std::string_view kVowels = "aeio";
  return fmt::format("{} {}", kVowels.find(thing.front()) == std::string_view::npos ? "a" : "an", thing);
}

std::string without_native(const RunCosts& costs) {
  const Cell* dearest = nullptr;
  double most = -1;
  for (const Cell& cell : costs.cells) {
    if (!cell.cost() || units_of(cell.cost()->work).empty()) continue;
    const double cost =
        per_unit(cell.cost()->total, cell.cost()->work, units_of(cell.cost()->work).front()).value_or(0);
    if (cost > most) {
      dearest = &cell;
      most = cost;
    }
  }
  if (dearest == nullptr) return "No trial ended: nothing was measured.";
  const Unit unit = units_of(dearest->cost()->work).front();
  const bool is_native_alone = std::all_of(costs.cells.begin(), costs.cells.end(),
                                           [](const Cell& cell) { return cell.platform() == "native"; });
  return fmt::format("A{} costs {} {}{} {} ({}). {}{}",
                     with_article(noun(unit, dearest->workload())).substr(1), printable(dearest->platform()),
                     costs.cells.size() > 1 ? "up to " : "", figure(most), unit_of_cost(costs),
                     full_phrase(dearest->factors, costs.varying.of(dearest->workload())),
                     payers(*dearest->cost()),
                     is_native_alone ? " Only native was measured, so there is no tax to give."
                                     : " Without native's cost of the same there is no tax to give.");
}

}  // namespace

std::optional<Headline> headline(const std::vector<Comparison>& comparisons) {
  for (const Unit unit : {Unit::kilobyte, Unit::transaction, Unit::packet}) {
    if (auto found = headline_of(comparisons, unit)) return found;
  }
  return std::nullopt;
}

std::string answer(const RunCosts& costs, const std::vector<Comparison>& comparisons) {
  const auto best = headline(comparisons);
  if (!best) return without_native(costs);
  const WindowCost& cost = *best->cell->cost();
  const WindowCost& native = *best->comparison->native()->cost();
  const std::string platform = printable(best->cell->platform());
  const auto its_noun = with_article(noun(best->unit, best->cell->workload()));
  const std::string work = full_phrase(best->comparison->factors, costs.varying.of(best->cell->workload()));
  const std::string interval =
      best->interval ? fmt::format(" ({:.2f} to {:.2f})", best->interval->low, best->interval->high) : "";
  if (best->is_undecided)
    return fmt::format(
        "Undecided: on {} {} costs {:.2f}{} times as much as on native where it costs the most, {}. The "
        "repetitions spread by more than that differs from native; more of them may decide it (--reps).",
        platform, its_noun, best->tax, interval, work);
  const bool is_same_everywhere = best->tax / best->least_tax < 1.005;
  const std::string range =
      is_same_everywhere
          ? fmt::format("{:.2f}{} times as much as on native: ", best->tax, interval)
          : fmt::format("{:.2f} to {:.2f} times as much as on native. The most{}: ", best->least_tax,
                        best->tax, interval);
  return fmt::format("On {} {} costs {}{}, {} {} against {}. {}{}", platform, its_noun, range, work,
                     figure(per_unit(cost.total, cost.work, best->unit).value_or(0)), unit_of_cost(costs),
                     figure(per_unit(native.total, native.work, best->unit).value_or(0)), payers(cost),
                     doubt(*best));
}

}  // namespace vtax
