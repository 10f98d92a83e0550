// A against B: how often does `vtax compare` find a cost that was planted, and how often one that was not?
//   build/release/planted_cost A.vtax B.vtax [FACTOR=VALUE...]
// Of two runs of one study; the second one's vtax executes some instructions more (planted_cost.sh makes
// both). Cells that have all of the factors' values are touched by it, the default is workload=tcp-rr. Prints
// each touched cell with its change, and the shares. Exit code 1 where fewer than 95 % of the touched cells
// are called dearer, or more than 5 % of the others different.

#include <fmt/format.h>

#include <algorithm>
#include <string_view>
#include <vector>

#include "bench/compared_runs.h"

namespace {

using namespace vtax;

Factors factors_in(int count, char** words) {
  Factors factors;
  for (int i = 0; i < count; ++i) {
    const std::string word = words[i];
    const std::size_t equals = word.find('=');
    if (equals == std::string::npos) quit("not of the form FACTOR=VALUE: " + word);
    factors[word.substr(0, equals)] = word.substr(equals + 1);
  }
  if (factors.empty()) factors["workload"] = "tcp-rr";
  return factors;
}

bool has_all(const Factors& cell, const Factors& wanted) {
  return std::all_of(wanted.begin(), wanted.end(), [&](const auto& one) {
    const auto found = cell.find(one.first);
    return found != cell.end() && found->second == one.second;
  });
}

double share(std::size_t part, std::size_t whole) {
  return whole == 0 ? 0 : static_cast<double>(part) / static_cast<double>(whole);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3) quit("planted_cost A.vtax B.vtax [FACTOR=VALUE...]");
  constexpr double kLeastFound = 0.95, kMostFalse = 0.05;
  const RunComparison comparison = compared(argv[1], argv[2]);
  const Factors planted = factors_in(argc - 3, argv + 3);
  std::size_t touched = 0, found = 0, others = 0, false_alarms = 0;
  for (const CellChange& cell : comparison.cells) {
    const double change = cell.relative().value_or(0);
    const bool is_touched = has_all(cell.factors, planted);
    const bool is_right = is_touched == cell.is_shown() && (!is_touched || change > 0);
    (is_touched ? touched : others) += 1;
    if (is_touched && is_right) ++found;
    if (!is_touched && !is_right) ++false_alarms;
    if (!is_touched && is_right) continue;
    fmt::print("{:+6.2f} %", 100 * change);
    if (cell.ratio)
      fmt::print(" ({:+.2f} to {:+.2f} %)", 100 * (cell.ratio->low - 1), 100 * (cell.ratio->high - 1));
    fmt::print("  {}  {}\n", is_touched ? (is_right ? "found      " : "not found  ") : "false alarm",
               name_among(cell, comparison));
  }
  if (touched == 0) quit("no cell has these factors");
  fmt::print("{} of {} touched cells found ({:.1f} %); {} of {} others called different ({:.1f} %)\n", found,
             touched, 100 * share(found, touched), false_alarms, others, 100 * share(false_alarms, others));
  return share(found, touched) >= kLeastFound && share(false_alarms, others) <= kMostFalse ? 0 : 1;
}
