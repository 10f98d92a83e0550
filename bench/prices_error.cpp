// prices_error PRICES LAB HOST...: what the lab's counts would take at a computer's prices, beside what that
// computer measured of the same cells: of each cell that both have, topology inside, the time of native, and
// of every other platform the ratio to it. docs/benchmarks.md has the figures.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <string>
#include <vector>

#include "core/statistics.h"
#include "predict/known_cells.h"
#include "prices/estimate.h"
#include "query/cell.h"
#include "query/phrase.h"

namespace {

using namespace vtax;

struct Figures {
  double estimated_ns = 0, instructions = 0, measured_ns = 0;
};

// What does not differ by machine or amount: so the lab's cell and the host's have one name.
Factors key_of(const Factors& cell) {
  Factors key;
  for (const auto& [factor, value] : cell)
    for (const char* kept : {"platform", "workload", "offloads", "direction", "write_bytes", "request_bytes",
                             "response_bytes", "guests"})
      if (factor == kept) key[factor] = value;
  return key;
}

void score(const std::map<Factors, Figures>& cells) {
  VaryingFactors varying;
  for (const auto& [cell, figures] : cells) varying.add(cell);
  std::vector<double> by_time, by_instructions;
  for (const auto& [cell, figures] : cells) {
    if (cell.at("platform") == "native" || figures.measured_ns == 0 || figures.estimated_ns == 0) continue;
    Factors base = cell;
    base["platform"] = "native";
    const auto native = cells.find(base);
    if (native == cells.end() || native->second.measured_ns == 0 || native->second.estimated_ns == 0)
      continue;
    const Figures& n = native->second;
    const double measured = figures.measured_ns / n.measured_ns,
                 estimated = figures.estimated_ns / n.estimated_ns,
                 counted = figures.instructions / n.instructions;
    by_time.push_back(std::abs(estimated / measured - 1));
    by_instructions.push_back(std::abs(counted / measured - 1));
    fmt::print("| {} | {:.2f} | {:.2f} | {:.2f} | {:.0f} | {:.0f} |\n",
               trial_name(cell, varying.of(cell.at("workload"))), counted, estimated, measured,
               n.estimated_ns, n.measured_ns);
  }
  constexpr double kPercent = 100;
  if (by_time.empty()) return;
  fmt::print(
      "{} ratios: off by {:.0f} % in the median and {:.0f} % at most by prices, by {:.0f} and {:.0f} % by "
      "instructions alone\n",
      by_time.size(), kPercent * *median(by_time),
      kPercent * *std::max_element(by_time.begin(), by_time.end()), kPercent * *median(by_instructions),
      kPercent * *std::max_element(by_instructions.begin(), by_instructions.end()));
}

Result<> read(int argc, char** argv, std::map<Factors, Figures>& cells) {
  const auto prices = prices::read_prices(argv[1]);
  if (!prices) return fail(prices.error());
  auto lab = RunReader::open(argv[2]);
  if (!lab) return fail(lab.error());
  const auto estimates = prices::estimate_cells(*lab, *prices);
  if (!estimates) return fail(estimates.error());
  for (const prices::EstimatedCell& cell : *estimates) {
    if (cell.factors.at("topology") != "inside") continue;
    Figures& figures = cells[key_of(cell.factors)];
    figures.estimated_ns = cell.window.total.ns / cell.units;
    figures.instructions = static_cast<double>(cell.window.instructions) / cell.units;
  }
  for (int i = 3; i < argc; ++i) {
    auto host = RunReader::open(argv[i]);
    if (!host) return fail(host.error());
    predict::KnownCells known;
    if (auto added = predict::add_run(*host, known); !added) return added;
    for (const predict::KnownCell& cell : known.cells)
      if (const auto place = cells.find(key_of(cell.factors)); place != cells.end())
        place->second.measured_ns = cell.figures.at("cost");
  }
  return {};
}

}  // namespace

int main(int argc, char** argv) {
  constexpr int kLeastArguments = 4;
  if (argc < kLeastArguments) return fmt::print(stderr, "usage: prices_error PRICES LAB HOST...\n"), 2;
  std::map<Factors, Figures> cells;
  if (auto done = read(argc, argv, cells); !done) return fmt::print(stderr, "{}\n", done.error().text()), 1;
  fmt::print(
      "| ratio to native | by instructions | by prices | measured | native estimated, ns | measured, ns |\n"
      "|---|---|---|---|---|---|\n");
  score(cells);
  return 0;
}
