#include "report/comparison_summary.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <utility>

#include "core/readable.h"
#include "core/text_table.h"
#include "query/cost_text.h"
#include "query/phrase.h"
#include "report/comparison_words.h"
#include "report/markdown_table.h"

namespace vtax {
namespace {

constexpr std::size_t kManyCells = 30;

// Cells of one platform and workload stand together: they have one unit, and their names are short.
struct CellGroup {
  const CellChange* first;
  std::vector<const CellChange*> listed;
  std::size_t identical = 0, left_out = 0;  // not listed
};

std::vector<CellGroup> groups_of(const RunComparison& comparison, CellsShown shown) {
  const bool is_all = shown == CellsShown::all || comparison.cells.size() <= kManyCells;
  std::vector<CellGroup> groups;
  std::map<std::pair<std::string, std::string>, std::size_t> places;
  for (const CellChange& cell : comparison.cells) {
    const auto [place, is_new] =
        places.emplace(std::pair(cell.factors.at("platform"), cell.factors.at("workload")), groups.size());
    if (is_new) groups.push_back({&cell, {}});
    CellGroup& group = groups[place->second];
    if (shown == CellsShown::few && cell.is_identical)
      ++group.identical;
    else if (is_all || cell.is_shown())
      group.listed.push_back(&cell);
    else
      ++group.left_out;
  }
  return groups;
}

VaryingFactors varying_in(const RunComparison& comparison) {
  VaryingFactors varying;
  for (const CellChange& cell : comparison.cells) varying.add(cell.factors);
  return varying;
}

std::string place_of(const CellChange& cell, const VaryingFactors& varying) {
  const std::string text = phrase(cell.factors, varying.of(cell.factors.at("workload")));
  return text.empty() ? "all" : text;
}

std::string whole_name(const CellChange& cell, const VaryingFactors& varying) {
  return printable(cell.factors.at("platform")) + ", " +
         full_phrase(cell.factors, varying.of(cell.factors.at("workload")));
}

std::string verdict_of(const CellChange& cell) {
  if (cell.is_identical) return "identical";
  if (!cell.is_shown()) return "~";
  return change_text(cell.relative());
}

std::string interval_or_why_not(const CellChange& cell) {
  if (cell.is_identical) return "";
  if (cell.ratio) return interval_text(cell);
  return cell.samples.is_too_few ? "too few runs" : "-";
}

std::string change_in_words(const CellChange& cell) {
  std::string text =
      fmt::format("{} -> {} per {}, {}", cost_text(cell.before_per_unit(), cell.before.in_time),
                  cost_with_unit(cell.after_per_unit(), cell.after.in_time), unit_noun(cell),
                  change_text(cell.relative()));
  if (cell.ratio) text += fmt::format(" ({})", interval_text(cell));
  return text;
}

void print_dearest(const RunComparison& comparison, const VaryingFactors& varying, std::ostream& out) {
  const CellChange* dearest = dearest_change(comparison);
  if (dearest == nullptr) return;
  print_wrapped(
      out, "Rose most: ", fmt::format("{}: {}", whole_name(*dearest, varying), change_in_words(*dearest)));
  if (const std::string causes = causes_text(*dearest); !causes.empty()) print_wrapped(out, "  by ", causes);
}

struct CellRow {
  std::string place, before, change, interval;  // a heading has a place alone
};

std::vector<CellRow> rows_of(const std::vector<CellGroup>& groups, const VaryingFactors& varying) {
  std::vector<CellRow> rows;
  for (const CellGroup& group : groups) {
    if (group.listed.empty() && group.identical == 0) continue;
    const CellChange& first = *group.first;
    std::string heading = fmt::format("{}, {}, per {}:", printable(first.factors.at("platform")),
                                      printable(first.factors.at("workload")), unit_noun(first));
    if (group.identical > 0) heading += fmt::format(" {} identical", group.identical);
    rows.push_back({std::move(heading), "", "", ""});
    for (const CellChange* cell : group.listed)
      rows.push_back({" " + place_of(*cell, varying),
                      cost_text(cell->before_per_unit(), cell->before.in_time), verdict_of(*cell),
                      interval_or_why_not(*cell)});
  }
  return rows;
}

// One table, so that its columns stand below each other. A place that leaves the numbers too little of the
// line has a line of its own.
void print_groups(const std::vector<CellGroup>& groups, const VaryingFactors& varying, std::ostream& out) {
  const CellRow heading{"cell", "before", "change", "95 % interval"};
  const std::vector<CellRow> rows = rows_of(groups, varying);
  if (rows.empty()) return;
  std::size_t before = columns(heading.before), change = columns(heading.change),
              interval = columns(heading.interval);
  for (const CellRow& row : rows) {
    before = std::max(before, columns(row.before));
    change = std::max(change, columns(row.change));
    interval = std::max(interval, columns(row.interval));
  }
  const std::size_t gaps = 3, longest_place = page_columns(out) - before - change - interval - gaps;
  TextTable table({heading.place, heading.before, heading.change, heading.interval});
  for (const CellRow& row : rows) {
    if (row.before.empty() || columns(row.place) > longest_place) table.add({row.place});
    if (!row.before.empty())
      table.add({columns(row.place) > longest_place ? "" : row.place, row.before, row.change, row.interval});
  }
  out << '\n';
  table.print(out);
}

std::string left_out_text(std::size_t cells) {
  return fmt::format("{} {} without a difference shown {} left out; --all lists each.", cells,
                     cells == 1 ? "cell" : "cells", cells == 1 ? "is" : "are");
}

void print_names(std::string_view title, const std::vector<std::string>& names, CellsShown shown,
                 std::ostream& out) {
  constexpr std::size_t kFew = 5;
  if (names.empty()) return;
  out << '\n' << title << '\n';
  const std::size_t listed = shown == CellsShown::all ? names.size() : std::min(kFew, names.size());
  for (std::size_t i = 0; i < listed; ++i) print_wrapped(out, "  ", names[i]);
  if (listed < names.size()) out << fmt::format("  and {} more (--all)\n", names.size() - listed);
}

}  // namespace

void write_comparison_summary(const RunComparison& comparison, CellsShown shown, std::ostream& out) {
  if (comparison.context.empty()) {
    out << "The two runs have the same settings and versions.\n";
  } else {
    out << "The runs differ in:\n";
    for (const std::string& line : comparison.context) print_wrapped(out, "  ", line);
  }
  for (const std::string& line : unfinished_text(comparison)) out << line << '\n';
  print_wrapped(out, "", count_text(comparison));
  if (comparison.cells.empty())
    print_wrapped(out, "  ",
                  "Cells are compared when all their factors are equal. To see what a factor changes, "
                  "give one study both of its values: --set offloads=on,off");
  const VaryingFactors varying = varying_in(comparison);
  print_dearest(comparison, varying, out);
  const std::vector<CellGroup> groups = groups_of(comparison, shown);
  print_groups(groups, varying, out);
  std::size_t left_out = 0;
  for (const CellGroup& group : groups) left_out += group.left_out;
  if (left_out > 0) out << '\n' << left_out_text(left_out) << '\n';
  print_names("Of these a repetition failed in the second run:", comparison.partly_failed_after, shown, out);
  print_names("Only in the first run:", comparison.only_before, shown, out);
  print_names("Only in the second run:", comparison.only_after, shown, out);
}

void write_comparison_markdown(const RunComparison& comparison, CellsShown shown, std::ostream& out) {
  out << escaped_markdown(count_text(comparison)) << '\n';
  for (const std::string& line : unfinished_text(comparison)) out << '\n' << escaped_markdown(line) << '\n';
  const VaryingFactors varying = varying_in(comparison);
  if (const CellChange* dearest = dearest_change(comparison)) {
    out << fmt::format("\nRose most: {}: **{}**", escaped_markdown(whole_name(*dearest, varying)),
                       escaped_markdown(change_in_words(*dearest)));
    if (const std::string causes = causes_text(*dearest); !causes.empty())
      out << ", by " << escaped_markdown(causes);
    out << ".\n";
  }
  out << '\n';
  MarkdownTable table(out, {"cell", "per", "before", "after", "change", "95 % interval"}, 2);
  std::size_t left_out = 0, identical = 0;
  for (const CellGroup& group : groups_of(comparison, shown)) {
    left_out += group.left_out;
    identical += group.identical;
    for (const CellChange* cell : group.listed)
      table.row({escaped_markdown(whole_name(*cell, varying)), escaped_markdown(unit_noun(*cell)),
                 cost_text(cell->before_per_unit(), cell->before.in_time),
                 cost_text(cell->after_per_unit(), cell->after.in_time), escaped_markdown(verdict_of(*cell)),
                 escaped_markdown(interval_or_why_not(*cell))});
  }
  if (left_out > 0) out << '\n' << escaped_markdown(left_out_text(left_out)) << '\n';
  if (identical > 0)
    out << fmt::format("\n{} {} identical.\n", identical, identical == 1 ? "cell is" : "cells are");
  const auto names = [&](std::string_view title, const std::vector<std::string>& all) {
    if (all.empty()) return;
    out << fmt::format("\n{}\n\n", title);
    for (const std::string& name : all) out << "- " << escaped_markdown(name) << '\n';
  };
  names("Of these a repetition failed in the second run:", comparison.partly_failed_after);
  names("Only in the first run:", comparison.only_before);
  names("Only in the second run:", comparison.only_after);
  if (comparison.context.empty()) return;
  out << "\nThe runs differ in:\n\n";
  for (const std::string& line : comparison.context) out << "- " << escaped_markdown(line) << '\n';
}

}  // namespace vtax
