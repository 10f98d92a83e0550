#include "report/cell_csv.h"

#include <fmt/format.h>

#include <map>
#include <optional>
#include <set>
#include <string>

#include "core/csv_rows.h"
#include "model/capacity.h"
#include "query/cell.h"
#include "query/measured.h"
#include "query/phrase.h"
#include "query/repetitions.h"

namespace vtax {
namespace {

// The shortest text that is the same number again.
std::string exact(std::optional<double> value) {
  return value ? fmt::format("{}", *value) : "";
}

struct IntervalTexts {
  std::string low, high;
};

IntervalTexts exact(const std::optional<SampleInterval>& interval) {
  if (!interval) return {};
  return {exact(interval->range.low), exact(interval->range.high)};
}

void write_heading(CsvRows& rows, const RunCosts& costs, const std::set<std::string>& factors) {
  const std::string cost = in_time(costs) ? "cpu_ns" : "instructions";
  for (const std::string& factor : factors) rows << factor;
  rows << "repetitions"
       << "unit_of_work"
       << "layer" << cost + "_per_unit"
       << "share_percent"
       << "total_" + cost + "_per_unit"
       << "total_low_" + cost + "_per_unit"
       << "total_high_" + cost + "_per_unit"
       << "tax_times"
       << "tax_low_times"
       << "tax_high_times"
       << "unit_of_rate"
       << "rate_per_second"
       << "rate_low_per_second"
       << "rate_high_per_second";
  rows.end();
}

constexpr int kFigureColumns = 12;  // behind "layer"

void write_cell_rows(CsvRows& rows, const Comparison& comparison, const Cell& cell) {
  const WindowCost& cost = *cell.cost();
  const auto units = units_of(cost.work);
  if (units.empty()) {
    rows << ""
         << "";
    for (int i = 0; i < kFigureColumns; ++i) rows << "";
    rows.end();
    return;
  }
  const Unit unit = units.front();
  const std::string& workload = cell.workload();
  const IntervalTexts interval = exact(cost_interval(cell, unit));
  const auto tax_range = tax_interval(comparison, cell, unit);
  const auto rate = rate_of(cell);
  const IntervalTexts rate_range = rate ? exact(rate->interval) : IntervalTexts();
  rows << noun(unit, workload);
  rows.keep();
  for (const Layer layer : kLayers) {
    const double share =
        cost.total == 0 ? 0 : 100 * static_cast<double>(cost.of(layer)) / static_cast<double>(cost.total);
    rows << name(layer) << exact(per_unit(cost.of(layer), cost.work, unit)) << exact(share)
         << exact(per_unit(cost.total, cost.work, unit)) << interval.low << interval.high
         << exact(tax(comparison, cell, unit)) << (tax_range ? exact(tax_range->low) : "")
         << (tax_range ? exact(tax_range->high) : "") << (rate ? std::string(rate_noun(unit, workload)) : "")
         << (rate ? exact(rate->median) : "") << rate_range.low << rate_range.high;
    rows.end();
  }
}

}  // namespace

Result<> write_cell_csv(RunReader& reader, std::ostream& out) {
  auto costs = read_costs(reader);
  if (!costs) return fail(costs.error());
  const auto comparisons = comparisons_of(*costs);
  std::map<const Cell*, const Comparison*> first_of;
  for (const Comparison& comparison : comparisons)
    for (const Cell* cell : comparison.cells) first_of.emplace(cell, &comparison);
  std::set<std::string> factors;
  for (const Cell& cell : costs->cells)
    for (const auto& [name, value] : cell.factors) factors.insert(name);
  CsvRows rows(out);
  write_heading(rows, *costs, factors);
  for (const Cell& cell : costs->cells) {
    rows.begin_anew();
    for (const std::string& factor : factors) {
      const auto found = cell.factors.find(factor);
      rows << (found == cell.factors.end() ? std::string_view() : std::string_view(found->second));
    }
    rows << static_cast<std::uint64_t>(cell.runs.size());
    rows.keep();
    if (cell.cost() != nullptr) {
      write_cell_rows(rows, *first_of.at(&cell), cell);
      continue;
    }
    rows << ""
         << "";
    for (int i = 0; i < kFigureColumns; ++i) rows << "";
    rows.end();
  }
  return {};
}

}  // namespace vtax
