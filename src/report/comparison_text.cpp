#include "report/comparison_text.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/readable.h"
#include "core/text_table.h"
#include "query/cost_text.h"
#include "query/phrase.h"
#include "report/comparison_words.h"

namespace vtax {
namespace {

constexpr std::size_t kMostFunctions = 10;

// Of a whole window: instructions to the last, CPU time as it is read.
std::string window_cost_text(std::uint64_t value, bool is_in_time) {
  return is_in_time ? cost_text(static_cast<double>(value), true) : with_thousands(value);
}

std::string difference(const Change& change, bool is_in_time = false) {
  if (!change.is_change()) return "~";
  return (change.after > change.before ? "+" : "-") + window_cost_text(change.size(), is_in_time);
}

std::vector<std::string> row_of(const Change& change, std::size_t longest_name, bool is_in_time) {
  return {"  " + printable(change.name, longest_name), window_cost_text(change.before, is_in_time),
          window_cost_text(change.after, is_in_time), difference(change, is_in_time),
          change.is_change() ? change_text(change.relative()) : "~"};
}

// Names get what the numbers leave of the page: two functions whose names are cut may look like one.
void print_functions(std::ostream& out, const std::vector<FunctionChange>& functions) {
  const std::size_t shown = std::min(kMostFunctions, functions.size());
  const bool has_calls =
      std::any_of(functions.begin(), functions.begin() + static_cast<std::ptrdiff_t>(shown),
                  [](const FunctionChange& f) { return f.calls_before && f.calls_after; });
  std::vector<std::vector<std::string>> rows = {{"  function", "before", "change", "%"}};
  if (has_calls) rows.front().insert(rows.front().end(), {"calls", "per call"});
  for (std::size_t i = 0; i < shown; ++i) {
    const FunctionChange& change = functions[i];
    rows.push_back({"", with_thousands(change.before), difference(change), change_text(change.relative())});
    if (!has_calls) continue;
    const auto known = [](const std::optional<double>& relative) {
      return relative ? change_text(relative) : "-";
    };
    rows.back().push_back(known(change.relative_calls()));
    rows.back().push_back(known(change.relative_per_call()));
  }
  std::size_t numbers = 0;
  for (std::size_t column = 1; column < rows.front().size(); ++column) {
    std::size_t widest = 0;
    for (const auto& row : rows) widest = std::max(widest, columns(row[column]));
    numbers += 1 + widest;
  }
  const std::size_t longest = page_columns(out) - numbers - 2;
  TextTable table(rows.front());
  for (std::size_t i = 1; i < rows.size(); ++i) {
    rows[i][0] = "  " + printable(short_function_name(functions[i - 1].name), longest);
    table.add(rows[i]);
  }
  table.print(out);
  if (functions.size() > kMostFunctions) {
    out << fmt::format("  and {} functions that changed less (--format json has all)\n",
                       functions.size() - kMostFunctions);
  }
}

void print_cell(std::ostream& out, const CellChange& cell, const std::set<std::string>& varying) {
  out << '\n';
  print_wrapped(out, "", printable(cell.factors.at("platform")) + ", " + full_phrase(cell.factors, varying));
  if (cell.is_identical) {
    out << "  ~ identical\n";
    return;
  }
  std::string change = change_text(cell.relative());
  if (cell.ratio)
    change += fmt::format(" ({:+.2f} to {:+.2f} % at 95 %)", 100 * (cell.ratio->low - 1),
                          100 * (cell.ratio->high - 1));
  print_wrapped(out, "  ",
                fmt::format("per {}: {} -> {}, {}", unit_noun(cell),
                            cost_text(cell.before_per_unit(), cell.before.in_time),
                            cost_with_unit(cell.after_per_unit(), cell.after.in_time), change));
  const TwoSamples& samples = cell.samples;
  print_wrapped(out, "  ",
                samples.is_too_few
                    ? std::string("too few repetitions to tell a difference: 4 in each run at least")
                    : fmt::format("{}, p {:.2g}, Cliff's delta {:+.2f} ({})",
                                  cell.is_shown() ? "differs" : "~ no difference shown", *samples.p,
                                  *samples.delta, effect_size(*samples.delta)));
  if (cell.sensitivity_before && cell.sensitivity_after) {
    print_wrapped(out, "  ",
                  fmt::format("{}with perturbed boots {} to {} -> {} to {}",
                              cell.is_shown() ? "" : "~ within what layout, seeds or timers move: ",
                              readable(cell.sensitivity_before->low), readable(cell.sensitivity_before->high),
                              readable(cell.sensitivity_after->low), readable(cell.sensitivity_after->high)));
  }
  if (cell.before.work.packets != cell.after.work.packets) {
    print_wrapped(out, "  ",
                  fmt::format("packets: {} -> {}", with_thousands(cell.before.work.packets.value),
                              with_thousands(cell.after.work.packets.value)));
  }
  TextTable layers({"  layer, in the window", "before", "after", "change", "%"});
  for (const Change& change : cell.layers) {
    if (change.before != 0 || change.after != 0) layers.add(row_of(change, 40, cell.before.in_time));
  }
  layers.add(row_of({"total", cell.before.total, cell.after.total}, 40, cell.before.in_time));
  layers.print(out);
  if (!cell.functions.empty()) print_functions(out, cell.functions);
}

}  // namespace

void write_comparison_details(const std::vector<CellChange>& cells, std::ostream& out) {
  VaryingFactors varying;
  for (const CellChange& cell : cells) varying.add(cell.factors);
  for (const CellChange& cell : cells) print_cell(out, cell, varying.of(cell.factors.at("workload")));
}

}  // namespace vtax
