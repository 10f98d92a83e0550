#include "report/answer.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "core/readable.h"
#include "report/phrase.h"

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

std::optional<Headline> headline_of(const std::vector<Comparison>& comparisons, Unit unit) {
  std::optional<Headline> best;
  const auto each = [&](const auto& use) {
    for (const Comparison& comparison : comparisons) {
      for (const Cell* cell : comparison.cells) {
        const auto t =
            cell->platform() == "native" || (cell->cost && units_of(cell->cost->work).front() != unit)
                ? std::nullopt
                : tax(comparison, *cell, unit);
        if (t) use(comparison, *cell, *t);
      }
    }
  };
  each([&](const Comparison& comparison, const Cell& cell, double t) {
    if (!best || t > best->tax) best = Headline{&comparison, &cell, unit, t, t};
  });
  if (!best) return best;
  each([&](const Comparison&, const Cell& cell, double t) {
    if (cell.platform() == best->cell->platform()) best->least_tax = std::min(best->least_tax, t);
  });
  return best;
}

// Of samples: whether they tell the two apart at all.
std::string doubt(const RunCosts& costs, const Headline& best) {
  const auto test = against_native(costs, *best.comparison, *best.cell);
  if (!test || test->is_shown()) return "";
  return test->is_too_few ? " But the repetitions are too few to tell it from native: 4 of each do."
                          : " But the repetitions show no difference to native.";
}

std::string without_native(const RunCosts& costs) {
  const Cell* dearest = nullptr;
  double most = -1;
  for (const Cell& cell : costs.cells) {
    if (!cell.cost || units_of(cell.cost->work).empty()) continue;
    const double cost =
        per_unit(cell.cost->total, cell.cost->work, units_of(cell.cost->work).front()).value_or(0);
    if (cost > most) {
      dearest = &cell;
      most = cost;
    }
  }
  if (dearest == nullptr) return "No trial ended: nothing was measured.";
  const Unit unit = units_of(dearest->cost->work).front();
  const bool is_native_alone = std::all_of(costs.cells.begin(), costs.cells.end(),
                                           [](const Cell& cell) { return cell.platform() == "native"; });
  return fmt::format("A {} costs {} {}{} {} ({}). {}{}", noun(unit, dearest->workload()),
                     printable(dearest->platform()), costs.cells.size() > 1 ? "up to " : "", figure(most),
                     unit_of_cost(costs),
                     full_phrase(dearest->factors, varying_factors(costs.cells, dearest->workload())),
                     payers(*dearest->cost),
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
  const WindowCost& cost = *best->cell->cost;
  const WindowCost& native = *best->comparison->native()->cost;
  const bool is_same_everywhere = best->tax / best->least_tax < 1.005;
  const std::string range =
      is_same_everywhere
          ? fmt::format("{:.2f} times as much as on native: ", best->tax)
          : fmt::format("{:.2f} to {:.2f} times as much as on native. The most: ", best->least_tax,
                        best->tax);
  return fmt::format(
      "On {} a {} costs {}{}, {} {} against {}. {}{}", printable(best->cell->platform()),
      noun(best->unit, best->cell->workload()), range,
      full_phrase(best->comparison->factors, varying_factors(costs.cells, best->cell->workload())),
      figure(per_unit(cost.total, cost.work, best->unit).value_or(0)), unit_of_cost(costs),
      figure(per_unit(native.total, native.work, best->unit).value_or(0)), payers(cost), doubt(costs, *best));
}

}  // namespace vtax
