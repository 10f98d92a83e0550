#include "prices/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "core/readable.h"
#include "core/text_table.h"
#include "query/phrase.h"

namespace vtax::prices {
namespace {

constexpr double kPercent = 100;
constexpr std::array kShown{Layer::hypervisor, Layer::driver, Layer::kernel, Layer::program};

std::string spaced(std::string kind) {
  std::replace(kind.begin(), kind.end(), '_', ' ');
  return kind;
}

void write_cells(Unit unit, const std::vector<EstimatedCell>& cells, std::ostream& out) {
  VaryingFactors varying;
  for (const EstimatedCell& cell : cells) varying.add(cell.factors);
  TextTable table(
      {"ns per " + std::string(name(unit)), "hyperv.", "driver", "kernel", "program", "total", "+-"});
  for (const EstimatedCell& cell : cells) {
    if (cell.unit != unit) continue;
    std::vector<std::string> row{trial_name(cell.factors, varying.of(cell.factors.at("workload")))};
    for (const Layer layer : kShown) {
      const auto found = cell.window.layers.find(layer);
      row.push_back(found == cell.window.layers.end() ? "-" : readable(found->second.ns / cell.units));
    }
    row.push_back(readable(cell.window.total.ns / cell.units));
    row.push_back(fmt::format("{:.0f} %", kPercent * cell.window.total.error_ns / cell.window.total.ns));
    table.add(std::move(row));
  }
  if (table.is_empty()) return;
  table.print(out);
  out << "\n";
}

}  // namespace

void write_estimate(const Run& header, const PriceList& prices, const std::vector<EstimatedCell>& cells,
                    std::ostream& out) {
  print_wrapped(
      out, "",
      fmt::format("An estimate, not a measurement: the time that the lab's counts of study {} would "
                  "take on {}, at its prices.",
                  printable(header.study), printable(prices.processor, 200)));
  out << "\n";
  for (const Unit unit : {Unit::kilobyte, Unit::transaction, Unit::packet}) write_cells(unit, cells, out);
  std::set<std::string> unpriced;
  double uncounted = 0, all = 0;
  for (const EstimatedCell& cell : cells) {
    unpriced.insert(cell.window.unpriced_events.begin(), cell.window.unpriced_events.end());
    uncounted += static_cast<double>(cell.window.unpriced_instructions);
    all += static_cast<double>(cell.window.unpriced_instructions + cell.window.instructions);
  }
  print_wrapped(out, "",
                "+-: as far as the prices may be off by their own error, all at once. What instructions take "
                "differs from code to code besides: docs/benchmarks.md has estimates beside measured time.");
  if (all > 0 && uncounted > 0)
    print_wrapped(out, "",
                  fmt::format("{:.1f} % of the instructions have no price and are left out.",
                              kPercent * uncounted / all));
  if (!unpriced.empty()) {
    std::string text;
    for (const std::string& kind : unpriced) text += (text.empty() ? "" : ", ") + spaced(kind);
    print_wrapped(out, "", "No price, so nothing besides their instructions: " + text + ".");
  }
}

void write_prices(const PriceList& prices, std::ostream& out) {
  out << printable(prices.processor, 200) << "\n";
  TextTable table({"nanoseconds", "price", "+-"});
  for (const auto& [layer, price] : prices.instructions)
    table.add({fmt::format("an instruction, {}", name(layer)), readable(price.ns),
               fmt::format("{:.0f} %", kPercent * price.error)});
  for (const auto& [kind, price] : prices.events)
    table.add({spaced(kind), readable(price.ns), fmt::format("{:.0f} %", kPercent * price.error)});
  table.print(out);
  for (const auto& [key, why] : prices.not_known)
    print_wrapped(out, "not known: ", fmt::format("{}: {}", spaced(key), why));
}

}  // namespace vtax::prices
