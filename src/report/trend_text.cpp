#include "report/trend_text.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/readable.h"
#include "core/text_table.h"
#include "query/cost_text.h"
#include "query/phrase.h"
#include "report/comparison_json.h"
#include "report/comparison_words.h"
#include "report/markdown_table.h"

namespace vtax {
namespace {

constexpr std::size_t kManyTrendCells = 30;
constexpr std::size_t kLongestRunName = 24;

struct NamedTrendCell {
  std::string group;  // "xen-pv, tcp-rr, per transaction:"
  std::string place;
  const TrendCell* cell;
};

std::vector<NamedTrendCell> named_cells(const RunTrend& trend, const std::vector<TrendCell>& cells) {
  VaryingFactors varying;
  for (const TrendCell& cell : cells_of(trend)) varying.add(cell.any->factors);
  std::vector<NamedTrendCell> out;
  for (const TrendCell& cell : cells) {
    const auto& factors = cell.any->factors;
    const std::string place = phrase(factors, varying.of(factors.at("workload")));
    out.push_back({fmt::format("{}, {}, per {}:", printable(factors.at("platform")),
                               printable(factors.at("workload")), unit_noun(*cell.any)),
                   place.empty() ? "all" : place, &cell});
  }
  return out;
}

std::string left_out_line(std::size_t cells) {
  return fmt::format("{} {} without a difference shown {} left out; --all lists each.", with_thousands(cells),
                     cells == 1 ? "cell" : "cells", cells == 1 ? "is" : "are");
}

// "b: 60 cells: 2 dearer, ..."
std::string run_line(const RunTrend& trend, std::size_t which) {
  std::string text = count_text(trend.against_first[which]);
  if (const CellChange* dearest = dearest_change(trend.against_first[which]))
    text += fmt::format(" Rose most: {}, {}.", name_among(*dearest, trend.against_first[which]),
                        change_text(dearest->relative()));
  for (const std::string& line : unfinished_text(trend.against_first[which])) text += " " + line;
  return text;
}

}  // namespace

std::string trend_mark(const CellChange* change) {
  if (change == nullptr) return "-";
  if (change->is_identical) return "identical";
  return change->is_shown() ? change_text(change->relative()) : "~";
}

std::vector<TrendCell> listed_cells(const RunTrend& trend, CellsShown shown) {
  auto cells = cells_of(trend);
  if (shown == CellsShown::all || cells.size() <= kManyTrendCells) return cells;
  std::erase_if(cells, [](const TrendCell& cell) {
    return std::none_of(cell.changes.begin(), cell.changes.end(),
                        [](const CellChange* change) { return change == nullptr || change->is_shown(); });
  });
  return cells;
}

void write_trend_summary(const RunTrend& trend, CellsShown shown, std::ostream& out) {
  constexpr std::size_t kMostRuns = 5;  // beside the first
  const std::size_t runs = trend.against_first.size(), from = runs - std::min(runs, kMostRuns);
  print_wrapped(out, "",
                fmt::format("{} runs, each beside the first, {}. ~: no difference shown.", trend.names.size(),
                            printable(trend.names.front(), kLongestRunName)));
  for (std::size_t i = from; i < runs; ++i)
    print_wrapped(out, fmt::format("  {}: ", printable(trend.names[i + 1], kLongestRunName)),
                  run_line(trend, i));
  if (from > 0)
    print_wrapped(
        out, "  ",
        fmt::format("{} runs before these are left out; --format markdown, html and json have all.", from));
  const auto listed = listed_cells(trend, shown);
  const auto named = named_cells(trend, listed);
  std::vector<std::string> heading{"cell", printable(trend.names.front(), kLongestRunName)};
  for (std::size_t i = from; i < runs; ++i) heading.push_back(printable(trend.names[i + 1], kLongestRunName));
  TextTable table(heading);
  std::string group;
  for (const NamedTrendCell& one : named) {
    if (one.group != group) table.add({group = one.group});
    std::vector<std::string> row{" " + one.place,
                                 cost_text(one.cell->any->before_per_unit(), one.cell->any->before.in_time)};
    for (std::size_t i = from; i < runs; ++i) row.push_back(trend_mark(one.cell->changes[i]));
    table.add(std::move(row));
  }
  out << '\n';
  table.print(out);
  if (const std::size_t left_out = cells_of(trend).size() - listed.size(); left_out > 0)
    out << '\n' << left_out_line(left_out) << '\n';
}

void write_trend_markdown(const RunTrend& trend, CellsShown shown, std::ostream& out) {
  for (std::size_t i = 0; i < trend.against_first.size(); ++i)
    out << fmt::format("- **{}** beside {}: {}\n", escaped_markdown(trend.names[i + 1]),
                       escaped_markdown(trend.names.front()), escaped_markdown(run_line(trend, i)));
  out << '\n';
  std::vector<std::string> heading{"cell", escaped_markdown(trend.names.front())};
  for (std::size_t i = 1; i < trend.names.size(); ++i) heading.push_back(escaped_markdown(trend.names[i]));
  MarkdownTable table(out, heading, 1);
  const auto listed = listed_cells(trend, shown);
  for (const NamedTrendCell& one : named_cells(trend, listed)) {
    std::vector<std::string> row{escaped_markdown(one.group + " " + one.place),
                                 cost_text(one.cell->any->before_per_unit(), one.cell->any->before.in_time)};
    for (const CellChange* change : one.cell->changes) row.push_back(escaped_markdown(trend_mark(change)));
    table.row(row);
  }
  if (const std::size_t left_out = cells_of(trend).size() - listed.size(); left_out > 0)
    out << '\n' << escaped_markdown(left_out_line(left_out)) << '\n';
}

void write_trend_json(const RunTrend& trend, std::ostream& out) {
  JsonWriter json(out);
  json.begin_object().field("schema", std::uint64_t{1}).key("runs").begin_array();
  for (const std::string& name : trend.names) json.value(name);
  json.end_array().key("comparisons").begin_array();
  for (const RunComparison& comparison : trend.against_first) write_comparison(json, comparison);
  json.end_array().end_object();
  json.flush();
  out << '\n';
}

}  // namespace vtax
