#include "report/overview.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>
#include <string>

#include "core/readable.h"
#include "core/text_table.h"
#include "query/cost_text.h"
#include "query/phrase.h"
#include "query/repetitions.h"

namespace vtax {
namespace {

constexpr std::size_t kManyLines = 24;  // of a table; of more the ends are shown
constexpr std::size_t kDearestLines = 12, kCheapestLines = 4;

struct OverviewCell {
  double value = 0;
  std::string text, interval;  // "~1.02", "(1.00 to 1.05)"
};

struct OverviewLine {
  const Comparison* comparison = nullptr;
  std::vector<std::optional<OverviewCell>> cells;  // by platform

  [[nodiscard]] double dearest() const {
    double most = 0;
    for (const auto& cell : cells)
      if (cell) most = std::max(most, cell->value);
    return most;
  }
};

// Of one workload, per one unit of its work.
struct Overview {
  std::string workload;
  std::string noun;
  bool is_tax = true;
  std::vector<std::string> platforms;
  std::vector<OverviewLine> lines;
};

const Cell* cell_of_platform(const Comparison& comparison, const std::string& platform) {
  const auto found = std::find_if(comparison.cells.begin(), comparison.cells.end(),
                                  [&](const Cell* cell) { return cell->platform() == platform; });
  return found == comparison.cells.end() ? nullptr : *found;
}

std::optional<OverviewCell> overview_cell(const Comparison& comparison, const Cell* cell, Unit unit,
                                          bool is_tax) {
  if (cell == nullptr || !cell->cost()) return std::nullopt;
  const auto units = units_of(cell->cost()->work);
  if (std::find(units.begin(), units.end(), unit) == units.end()) return std::nullopt;
  const auto value =
      is_tax ? tax(comparison, *cell, unit) : per_unit(cell->cost()->total, cell->cost()->work, unit);
  if (!value) return std::nullopt;
  if (!is_tax) return OverviewCell{*value, cost_text(*value, cell->cost()->in_time), ""};
  const auto interval = tax_interval(comparison, *cell, unit);
  return OverviewCell{*value, marked_tax(comparison, *cell, unit),
                      interval ? fmt::format(" ({:.2f} to {:.2f})", interval->low, interval->high) : ""};
}

Overview overview_of(const std::vector<Comparison>& comparisons, const std::vector<std::string>& platforms,
                     const std::string& workload, Unit unit, bool is_tax) {
  Overview out{workload, std::string(noun(unit, workload)), is_tax, platforms, {}};
  for (const Comparison& comparison : comparisons) {
    if (comparison.factors.at("workload") != workload) continue;
    OverviewLine line{&comparison, {}};
    bool has_unit = false;
    for (const std::string& platform : platforms) {
      const Cell* cell = cell_of_platform(comparison, platform);
      line.cells.push_back(overview_cell(comparison, cell, unit, is_tax));
      const auto units = cell != nullptr && cell->cost() ? units_of(cell->cost()->work) : std::vector<Unit>();
      has_unit = has_unit || std::find(units.begin(), units.end(), unit) != units.end();
    }
    if (has_unit) out.lines.push_back(std::move(line));
  }
  return out;
}

// Of many lines the dearest, the cheapest and the typical ones, in the order of the plan.
std::size_t leave_out(Overview& overview, const std::vector<WorkloadAnswer>& answers) {
  std::erase_if(overview.lines, [](const OverviewLine& line) {
    return std::none_of(line.cells.begin(), line.cells.end(),
                        [](const auto& cell) { return cell.has_value(); });
  });
  if (overview.lines.size() <= kManyLines) return 0;
  std::vector<const OverviewLine*> order;
  for (const OverviewLine& line : overview.lines) order.push_back(&line);
  std::stable_sort(order.begin(), order.end(),
                   [](const OverviewLine* a, const OverviewLine* b) { return a->dearest() > b->dearest(); });
  std::set<const Comparison*> kept;
  for (std::size_t i = 0; i < kDearestLines; ++i) kept.insert(order[i]->comparison);
  for (std::size_t i = 0; i < kCheapestLines; ++i) kept.insert(order[order.size() - 1 - i]->comparison);
  for (const WorkloadAnswer& one : answers) kept.insert(one.typical);
  const std::size_t before = overview.lines.size();
  std::erase_if(overview.lines, [&](const OverviewLine& line) { return !kept.contains(line.comparison); });
  return before - overview.lines.size();
}

// A platform's least and greatest figure; nothing where they are alike.
std::optional<Interval> ends_of(const Overview& overview, std::size_t platform) {
  constexpr double kAlike = 1.005;
  std::optional<Interval> ends;
  for (const OverviewLine& line : overview.lines) {
    const auto& cell = line.cells[platform];
    if (!cell) continue;
    if (!ends) ends = Interval{cell->value, cell->value};
    ends->low = std::min(ends->low, cell->value);
    ends->high = std::max(ends->high, cell->value);
  }
  return ends && ends->high >= ends->low * kAlike ? ends : std::nullopt;
}

using Ends = std::vector<std::optional<Interval>>;  // by platform

Ends ends_of(const Overview& overview) {
  Ends ends;
  for (std::size_t i = 0; i < overview.platforms.size(); ++i) ends.push_back(ends_of(overview, i));
  return ends;
}

// "^" and "v" behind a platform's greatest and least figure.
std::string_view mark_of(const std::optional<Interval>& ends, double value) {
  if (!ends) return " ";
  return value == ends->high ? "^" : value == ends->low ? "v" : " ";
}

TextTable table_of_overview(const Overview& overview, const Ends& ends, const RunCosts& costs,
                            bool with_intervals) {
  std::vector<std::string> heading{fmt::format("{}, per {}", printable(overview.workload), overview.noun)};
  for (const std::string& platform : overview.platforms) heading.push_back(printable(platform) + " ");
  TextTable table(std::move(heading));
  for (const OverviewLine& line : overview.lines) {
    const auto& factors = line.comparison->factors;
    const std::string work = phrase(factors, costs.varying.of(overview.workload));
    std::vector<std::string> row{"  " + (work.empty() ? "all" : work)};
    for (std::size_t i = 0; i < line.cells.size(); ++i) {
      const auto& cell = line.cells[i];
      row.push_back(!cell ? "- "
                          : cell->text + std::string(mark_of(ends[i], cell->value)) +
                                (with_intervals ? cell->interval : ""));
    }
    table.add(std::move(row));
  }
  return table;
}

}  // namespace

void print_overview(std::ostream& out, const RunCosts& costs, const std::vector<Comparison>& comparisons,
                    const std::vector<WorkloadAnswer>& answers, TableDetail detail) {
  if (answers.empty()) return;
  auto platforms = platforms_of(costs);
  const bool is_tax =
      std::any_of(answers.begin(), answers.end(), [](const WorkloadAnswer& one) { return one.is_tax; });
  if (is_tax) std::erase(platforms, "native");
  out << (is_tax ? std::string("\nTAX: total cost relative to native = 1\n")
                 : fmt::format("\nCOST: {}\n", in_time(costs) ? "CPU time" : "instructions"));
  std::size_t left_out = 0;
  bool has_marks = false;
  for (const WorkloadAnswer& one : answers) {
    const std::string& workload = one.typical->factors.at("workload");
    for (const Unit unit : {Unit::kilobyte, Unit::packet, Unit::transaction}) {
      if (detail == TableDetail::first && unit != one.unit) continue;
      Overview overview = overview_of(comparisons, platforms, workload, unit, is_tax);
      if (detail == TableDetail::first) left_out += leave_out(overview, answers);
      if (overview.lines.empty()) continue;
      const Ends ends = ends_of(overview);
      has_marks = has_marks ||
                  std::any_of(ends.begin(), ends.end(), [](const auto& known) { return known.has_value(); });
      const TextTable table = table_of_overview(overview, ends, costs, true);
      // Each comparison's table has its intervals.
      if (table.width() > page_columns(out))
        table_of_overview(overview, ends, costs, false).print(out);
      else
        table.print(out);
    }
  }
  std::string notes = has_marks ? "^: a platform's most, v: its least." : "";
  if (const std::string marks = is_tax ? meaning_of_marks(comparisons) : ""; !marks.empty())
    notes += (notes.empty() ? "" : " ") + marks;
  if (left_out > 0)
    notes += fmt::format(" {} combinations between these are left out; --all lists each.",
                         with_thousands(left_out));
  if (!notes.empty()) print_wrapped(out, "  ", notes);
}

}  // namespace vtax
