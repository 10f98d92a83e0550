#include "report/comparison_words.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "core/readable.h"
#include "query/phrase.h"

namespace vtax {
namespace {

constexpr std::size_t kMostCauses = 3;
constexpr std::size_t kLongestFunctionName = 60;

std::string calls_text(const FunctionChange& function) {
  const auto calls = function.relative_calls(), each = function.relative_per_call();
  if (!calls || !each) return "";
  constexpr double kAsOften = 0.005;
  if (std::abs(*calls) < kAsOften) return fmt::format(", {} a call", change_text(each));
  if (std::abs(*each) < kAsOften) return fmt::format(", {} calls", change_text(calls));
  return fmt::format(", {} calls, {} a call", change_text(calls), change_text(each));
}

}  // namespace

std::string change_text(std::optional<double> relative) {
  if (!relative) return "new";
  if (*relative == 0) return "~";
  if (*relative == -1) return "gone";
  if (std::abs(*relative) < 0.0001) return *relative < 0 ? ">-0.01 %" : "<+0.01 %";
  return fmt::format("{:+.2f} %", 100 * *relative);
}

std::string interval_text(const CellChange& cell) {
  if (!cell.ratio) return "";
  return fmt::format("{:+.2f} to {:+.2f} %", 100 * (cell.ratio->low - 1), 100 * (cell.ratio->high - 1));
}

std::string unit_noun(const CellChange& cell) {
  const auto units = units_of(cell.before.work);
  return units.empty() ? cell.unit() : std::string(noun(units.front(), cell.factors.at("workload")));
}

std::string name_among(const CellChange& cell, const RunComparison& comparison) {
  VaryingFactors varying;
  for (const CellChange& one : comparison.cells) varying.add(one.factors);
  return fmt::format("{}, {}", printable(cell.factors.at("platform")),
                     full_phrase(cell.factors, varying.of(cell.factors.at("workload"))));
}

std::string short_function_name(std::string_view name) {
  if (name.starts_with("host ")) name.remove_prefix(5);
  for (const std::string_view image : {" (vmlinux)", " (xen)"}) {
    if (name.ends_with(image)) name.remove_suffix(image.size());
  }
  return std::string(name);
}

std::string count_text(const RunComparison& comparison) {
  std::size_t dearer = 0, cheaper = 0, identical = 0;
  for (const CellChange& cell : comparison.cells) {
    identical += std::size_t{cell.is_identical};
    if (!cell.is_shown()) continue;
    (cell.relative().value_or(1) > 0 ? dearer : cheaper) += 1;
  }
  const std::size_t cells = comparison.cells.size();
  return fmt::format("{} {}: {} dearer, {} cheaper, {} ~ (no difference shown; {} identical).", cells,
                     cells == 1 ? "cell" : "cells", dearer, cheaper, cells - dearer - cheaper, identical);
}

std::vector<std::string> unfinished_text(const RunComparison& comparison) {
  std::vector<std::string> lines;
  for (const auto& [which, missing] :
       {std::pair("first", comparison.not_run_before), std::pair("second", comparison.not_run_after)})
    if (missing > 0)
      lines.push_back(fmt::format("The {} run is unfinished: {} of its trials {} not run.", which,
                                  with_thousands(missing), missing == 1 ? "was" : "were"));
  return lines;
}

std::string causes_text(const CellChange& cell) {
  const auto units = units_of(cell.before.work);
  std::string text;
  for (std::size_t i = 0; i < std::min(kMostCauses, cell.functions.size()); ++i) {
    const FunctionChange& function = cell.functions[i];
    const char* sign = function.after > function.before ? "+" : "-";
    const auto size =
        units.empty() ? std::nullopt : per_unit(function.size(), cell.before.work, units.front());
    text += fmt::format("{}{} {}{} ({}{})", text.empty() ? "" : "; ",
                        printable(short_function_name(function.name), kLongestFunctionName), sign,
                        size ? readable(*size) : with_thousands(function.size()),
                        change_text(function.relative()), calls_text(function));
  }
  return text;
}

const CellChange* dearest_change(const RunComparison& comparison) {
  const CellChange* dearest = nullptr;
  for (const CellChange& cell : comparison.cells)
    if (cell.rise() > (dearest == nullptr ? 0 : dearest->rise())) dearest = &cell;
  return dearest;
}

}  // namespace vtax
