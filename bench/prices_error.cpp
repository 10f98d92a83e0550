// prices_error PRICES LAB RUN...: what the lab's counts would take at a computer's prices, beside what that
// computer measured of the same cells (runs of the host), and what the lab took that ran at prices itself
// (trials of the lab, of LAB too, with the factor `prices`): of each cell that both have, topology inside,
// the time of native, and of every other platform the ratio to it. docs/benchmarks.md has the figures.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>
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
  double estimated_ns = 0, instructions = 0, measured_ns = 0, at_prices_ns = 0;  // 0: not there
};

constexpr double kPercent = 100;

// CPU time of a unit of work, of a run whose clock goes by prices: what all its CPUs are busy for.
double busy_ns_per_unit(const predict::KnownCell& cell) {
  const auto rate = cell.figures.find("rate");
  if (rate == cell.figures.end()) return 0;
  double busy = 0;
  for (const auto& [figure, value] : cell.figures)
    if (figure.starts_with("busy ")) busy += value;
  constexpr double kNs = 1e9, kMega = 1e6, kBitsOfKilobyte = 8 * 1024;
  const double units = cell.unit == Unit::transaction ? rate->second : rate->second * kMega / kBitsOfKilobyte;
  return busy * kNs / units;
}

// What does not differ by machine or amount: so the lab's cell and the host's have one name.
Factors key_of(const Factors& cell) {
  Factors key;
  for (const auto& [factor, value] : cell)
    for (const char* kept : {"platform", "workload", "offloads", "direction", "write_bytes", "request_bytes",
                             "response_bytes", "guests"})
      if (factor == kept) key[factor] = value;
  return key;
}

// What one way of telling ratios is off by.
class Way {
 public:
  explicit Way(std::string name) : name_(std::move(name)) {}
  // Of a cell and its native one; nothing where either is not there.
  [[nodiscard]] std::optional<double> add(double cell, double native, double measured) {
    if (cell == 0 || native == 0) return std::nullopt;
    off_.push_back(std::abs(cell / native / measured - 1));
    return cell / native;
  }
  void print() const {
    if (off_.empty()) return;
    fmt::print("{}: {} ratios, off by {:.0f} % in the median and {:.0f} % at most\n", name_, off_.size(),
               kPercent * *median(off_), kPercent * *std::max_element(off_.begin(), off_.end()));
  }

 private:
  std::string name_;
  std::vector<double> off_;
};

std::string text_of(const std::optional<double>& ratio) {
  return ratio ? fmt::format("{:.2f}", *ratio) : "-";
}

void score(const std::map<Factors, Figures>& cells) {
  VaryingFactors varying;
  for (const auto& [cell, figures] : cells) varying.add(cell);
  Way by_instructions("by instructions alone"), by_estimate("by prices"),
      by_lab("by the lab that ran at prices");
  fmt::print(
      "| ratio to native | by instructions | by prices | lab at prices | measured | native: estimated, "
      "measured, ns |\n|---|---|---|---|---|---|\n");
  for (const auto& [cell, figures] : cells) {
    if (cell.at("platform") == "native" || figures.measured_ns == 0) continue;
    Factors base = cell;
    base["platform"] = "native";
    const auto found = cells.find(base);
    if (found == cells.end() || found->second.measured_ns == 0) continue;
    const Figures& native = found->second;
    const double measured = figures.measured_ns / native.measured_ns;
    const auto counted = by_instructions.add(figures.instructions, native.instructions, measured),
               estimated = by_estimate.add(figures.estimated_ns, native.estimated_ns, measured),
               timed = by_lab.add(figures.at_prices_ns, native.at_prices_ns, measured);
    fmt::print("| {} | {} | {} | {} | {:.2f} | {:.0f}; {:.0f} |\n",
               trial_name(cell, varying.of(cell.at("workload"))), text_of(counted), text_of(estimated),
               text_of(timed), measured, native.estimated_ns, native.measured_ns);
  }
  for (const Way* way : {&by_instructions, &by_estimate, &by_lab}) way->print();
}

Result<> read(int argc, char** argv, std::map<Factors, Figures>& cells) {
  const auto prices = prices::read_prices(argv[1]);
  if (!prices) return fail(prices.error());
  auto lab = RunReader::open(argv[2]);
  if (!lab) return fail(lab.error());
  const auto estimates = prices::estimate_cells(*lab, *prices);
  if (!estimates) return fail(estimates.error());
  for (const prices::EstimatedCell& cell : *estimates) {
    const auto at = cell.factors.find("prices");
    if (cell.factors.at("topology") != "inside" || (at != cell.factors.end() && at->second != "off"))
      continue;
    Figures& figures = cells[key_of(cell.factors)];
    figures.estimated_ns = cell.window.total.ns / cell.units;
    figures.instructions = static_cast<double>(cell.window.instructions) / cell.units;
  }
  for (int i = 2; i < argc; ++i) {
    auto run = RunReader::open(argv[i]);
    if (!run) return fail(run.error());
    predict::KnownCells known;
    if (auto added = predict::add_run(*run, known); !added) return added;
    for (const predict::KnownCell& cell : known.cells) {
      const auto place = cells.find(key_of(cell.factors));
      if (place == cells.end()) continue;
      const auto prices = cell.factors.find("prices");
      if (known.in_time)
        place->second.measured_ns = cell.figures.at("cost");
      else if (prices != cell.factors.end() && prices->second != "off")
        place->second.at_prices_ns = busy_ns_per_unit(cell);
    }
  }
  return {};
}

}  // namespace

int main(int argc, char** argv) {
  constexpr int kLeastArguments = 4;
  if (argc < kLeastArguments) return fmt::print(stderr, "usage: prices_error PRICES LAB RUN...\n"), 2;
  std::map<Factors, Figures> cells;
  if (auto done = read(argc, argv, cells); !done) return fmt::print(stderr, "{}\n", done.error().text()), 1;
  score(cells);
  return 0;
}
