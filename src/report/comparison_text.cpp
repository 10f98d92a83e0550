#include "report/comparison_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "core/readable.h"
#include "report/json_writer.h"
#include "report/phrase.h"
#include "report/text_table.h"

namespace vtax {
namespace {

constexpr std::size_t kMostFunctions = 10;

std::string percent(std::optional<double> relative) {
  if (!relative) return "new";
  if (*relative == 0) return "~";
  if (*relative == -1) return "gone";
  if (std::abs(*relative) < 0.0001) return *relative < 0 ? ">-0.01 %" : "<+0.01 %";
  return fmt::format("{:+.2f} %", 100 * *relative);
}

std::string difference(const Change& change) {
  if (!change.is_change()) return "~";
  return (change.after > change.before ? "+" : "-") + with_thousands(change.size());
}

std::vector<std::string> row_of(const Change& change, std::size_t longest_name) {
  return {"  " + printable(change.name, longest_name), with_thousands(change.before),
          with_thousands(change.after), difference(change),
          change.is_change() ? percent(change.relative()) : "~"};
}

// "host kernel: memset (vmlinux)" without what goes without saying: there is no other domain beside a host,
// and a kernel's functions are in vmlinux unless a module is named.
std::string short_name(std::string_view name) {
  if (name.starts_with("host ")) name.remove_prefix(5);
  for (const std::string_view image : {" (vmlinux)", " (xen)"}) {
    if (name.ends_with(image)) name.remove_suffix(image.size());
  }
  return std::string(name);
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
    rows.push_back({"", with_thousands(change.before), difference(change), percent(change.relative())});
    if (!has_calls) continue;
    const auto known = [](const std::optional<double>& relative) {
      return relative ? percent(relative) : "-";
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
  const std::size_t longest = kPageColumns - numbers - 2;
  TextTable table(rows.front());
  for (std::size_t i = 1; i < rows.size(); ++i) {
    rows[i][0] = "  " + printable(short_name(functions[i - 1].name), longest);
    table.add(rows[i]);
  }
  table.print(out);
  if (functions.size() > kMostFunctions) {
    out << fmt::format("  and {} functions that changed less (--json has all)\n",
                       functions.size() - kMostFunctions);
  }
}

std::string unit_text(const CellChange& cell) {
  const auto units = units_of(cell.before.work);
  return units.empty() ? cell.unit() : std::string(noun(units.front(), cell.factors.at("workload")));
}

void print_cell(std::ostream& out, const CellChange& cell, const std::set<std::string>& varying) {
  out << '\n';
  print_wrapped(out, "", printable(cell.factors.at("platform")) + ", " + full_phrase(cell.factors, varying));
  if (cell.is_identical) {
    out << "  ~ identical\n";
    return;
  }
  std::string change = percent(cell.relative());
  if (cell.ratio)
    change += fmt::format(" ({:+.2f} to {:+.2f} % at 95 %)", 100 * (cell.ratio->low - 1),
                          100 * (cell.ratio->high - 1));
  print_wrapped(out, "  ",
                fmt::format("per {}: {} -> {} {}, {}", unit_text(cell), readable(cell.before_per_unit()),
                            readable(cell.after_per_unit()),
                            cell.before.in_time ? "ns of CPU time" : "instructions", change));
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
    if (change.before != 0 || change.after != 0) layers.add(row_of(change, 40));
  }
  layers.add(row_of({"total", cell.before.total, cell.after.total}, 40));
  layers.print(out);
  if (!cell.functions.empty()) print_functions(out, cell.functions);
}

void write_change(JsonWriter& json, const Change& change) {
  json.field("name", change.name).field("before", change.before).field("after", change.after);
}

void write_changes(JsonWriter& json, const CellChange& cell) {
  json.key("layers").begin_array();
  for (const Change& change : cell.layers) {
    json.begin_object();
    write_change(json, change);
    json.end_object();
  }
  json.end_array().key("functions").begin_array();
  for (const FunctionChange& change : cell.functions) {
    json.begin_object();
    write_change(json, change);
    json.key("calls_before");
    change.calls_before ? json.value(*change.calls_before) : json.null();
    json.key("calls_after");
    change.calls_after ? json.value(*change.calls_after) : json.null();
    json.end_object();
  }
  json.end_array();
}

// A run that did not come to its end is no ground to stand on.
void print_incomplete(std::ostream& out, const RunComparison& comparison) {
  for (const auto& [which, missing] :
       {std::pair("first", comparison.not_run_before), std::pair("second", comparison.not_run_after)})
    if (missing > 0)
      out << fmt::format("The {} run is unfinished: {} of its trials {} not run.\n", which,
                         with_thousands(missing), missing == 1 ? "was" : "were");
}

void write_names(JsonWriter& json, std::string_view key, const std::vector<std::string>& names) {
  json.key(key).begin_array();
  for (const std::string& name : names) json.value(name);
  json.end_array();
}

}  // namespace

void write_comparison_table(const RunComparison& comparison, std::ostream& out) {
  if (comparison.context.empty()) {
    out << "The two runs have the same settings and versions.\n";
  } else {
    out << "The runs differ in:\n";
    for (const std::string& line : comparison.context) print_wrapped(out, "  ", line);
  }
  print_incomplete(out, comparison);
  const auto identical = std::count_if(comparison.cells.begin(), comparison.cells.end(),
                                       [](const CellChange& cell) { return cell.is_identical; });
  out << fmt::format("{} {} compared, {} identical.\n", comparison.cells.size(),
                     comparison.cells.size() == 1 ? "cell" : "cells", identical);
  if (comparison.cells.empty())
    print_wrapped(out, "  ",
                  "Cells are compared when all their factors are equal. To see what a factor changes, "
                  "give one study both of its values: --set offloads=on,off");
  VaryingFactors varying;
  for (const CellChange& cell : comparison.cells) varying.add(cell.factors);
  for (const CellChange& cell : comparison.cells)
    print_cell(out, cell, varying.of(cell.factors.at("workload")));
  const auto print_names = [&](std::string_view title, const std::vector<std::string>& names) {
    if (!names.empty()) out << '\n' << title << '\n';
    for (const std::string& name : names) print_wrapped(out, "  ", name);
  };
  print_names("Of these a repetition failed in the second run:", comparison.partly_failed_after);
  print_names("Only in the first run:", comparison.only_before);
  print_names("Only in the second run:", comparison.only_after);
}

void write_comparison_json(const RunComparison& comparison, std::ostream& out) {
  JsonWriter json(out);
  json.begin_object().field("schema", std::uint64_t{1});
  write_names(json, "context", comparison.context);
  json.key("cells").begin_array();
  for (const CellChange& cell : comparison.cells) {
    json.line().begin_object().key("factors").begin_object();
    for (const auto& [name, value] : cell.factors) json.field(name, value);
    json.end_object()
        .field("unit", cell.unit())
        .field("unit_name", unit_text(cell))
        .field("before_per_unit", cell.before_per_unit());
    json.field("after_per_unit", cell.after_per_unit()).key("relative");
    if (const auto relative = cell.relative()) {
      json.value(*relative);
    } else {
      json.null();
    }
    json.field("identical", cell.is_identical).field("shown", cell.is_shown());
    const auto number = [&json](std::string_view key, std::optional<double> value) {
      json.key(key);
      value ? json.value(*value) : json.null();
    };
    number("p", cell.samples.p);
    number("cliffs_delta", cell.samples.delta);
    json.field("too_few", cell.samples.is_too_few);
    for (const auto& [key, range] :
         {std::pair("ratio", cell.ratio), std::pair("sensitivity_before", cell.sensitivity_before),
          std::pair("sensitivity_after", cell.sensitivity_after)}) {
      json.key(key);
      range ? json.begin_array().value(range->low).value(range->high).end_array() : json.null();
    }
    write_changes(json, cell);
    json.end_object();
  }
  json.end_array();
  write_names(json, "only_before", comparison.only_before);
  write_names(json, "only_after", comparison.only_after);
  write_names(json, "failed_after", comparison.failed_after);
  write_names(json, "partly_failed_after", comparison.partly_failed_after);
  json.field("not_run_before", comparison.not_run_before).field("not_run_after", comparison.not_run_after);
  json.end_object();
  json.flush();
  out << '\n';
}

}  // namespace vtax
