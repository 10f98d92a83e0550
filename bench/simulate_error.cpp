// simulate_error RUN...: of each cell of the lab that the simulator knows, its rate against the measured one,
// at the costs of the same run. "itself": its costs are the cell's own, so that only times are simulated.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "core/statistics.h"
#include "record/run_reader.h"
#include "simulate/simulated_trial.h"

namespace {

using namespace vtax;

using CellFactors = std::map<std::string, std::string>;

double fairness_in(const Trial& trial) {
  std::vector<double> rates;
  for (const GuestWork& guest : trial.guests)
    rates.push_back(static_cast<double>(guest.bytes.value + guest.transactions.value) /
                    static_cast<double>(guest.virtual_ns));
  return fairness_index(rates).value_or(1);
}

double busy_in(const Trial& trial, const std::string& domain) {
  double ns = 0;
  for (const Busy& busy : trial.busy)
    if (busy.domain == domain) ns += static_cast<double>(busy.ns);
  return 100 * ns / static_cast<double>(trial.window_virtual_ns);
}

// Of a cell's repetitions.
struct Readings {
  std::vector<double> window, fairness, driver, guest;

  void add(const Trial& trial) {
    window.push_back(static_cast<double>(trial.window_virtual_ns));
    fairness.push_back(fairness_in(trial));
    driver.push_back(busy_in(trial, "Domain-0"));
    guest.push_back(busy_in(trial, "guest1"));
  }
};

double middle(const std::vector<double>& values) {
  return median(values).value_or(0);
}

// What varies among the run's cells.
std::string name_among(const CellFactors& cell, const std::map<CellFactors, Readings>& cells) {
  std::string name;
  for (const auto& [factor, value] : cell) {
    const bool varies = std::any_of(cells.begin(), cells.end(), [&](const auto& other) {
      const auto its = other.first.find(factor);
      return its != other.first.end() && its->second != value;
    });
    if (varies) name += fmt::format("{}{} {}", name.empty() ? "" : ", ", factor, value);
  }
  return name;
}

int compare(const char* file) {
  const auto prices = simulate::PriceList::read(file);
  if (!prices) return fmt::print(stderr, "{}\n", prices.error().text()), 1;
  std::map<CellFactors, Readings> cells;
  auto reader = RunReader::open(file);
  if (!reader) return fmt::print(stderr, "{}\n", reader.error().text()), 1;
  const auto read = reader->for_each(RunReader::Detail::costs, [&](const Trial& trial) -> Result<> {
    const auto spec = trial_spec_of(trial.factors);
    if (trial.error.empty() && spec && !simulate::obstacle_to_simulating(*spec, {}) &&
        prices->find(trial.factors))
      cells[trial.factors].add(trial);
    return {};
  });
  if (!read) return fmt::print(stderr, "{}\n", read.error().text()), 1;
  std::vector<double> errors;
  fmt::print(
      "| cell | rate off by | window ms | Domain-0 % | guest1 % | fairness |\n|---|---|---|---|---|---|\n");
  for (const auto& [factors, measured] : cells) {
    const auto price = prices->find(factors);
    const auto spec = trial_spec_of(factors);
    const simulate::SchedulerKind scheduler = spec->scheduler == Scheduler::credit
                                                  ? simulate::SchedulerKind::credit
                                                  : simulate::SchedulerKind::credit2;
    Readings simulated;
    for (std::uint64_t seed = 1; seed <= 5; ++seed) {
      Trial trial;
      if (const auto done = simulate::simulate({*spec, scheduler, seed}, **price, trial); !done)
        return fmt::print(stderr, "{}\n", done.error().text()), 1;
      simulated.add(trial);
    }
    const bool is_itself = (*price)->factors == factors;
    const double error = middle(measured.window) / middle(simulated.window) - 1;
    if (!is_itself) errors.push_back(std::abs(error));
    fmt::print("| {}{} | {:+.1f} % | {:.1f}, {:.1f} | {:.0f}, {:.0f} | {:.0f}, {:.0f} | {:.3f}, {:.3f} |\n",
               name_among(factors, cells), is_itself ? " (itself)" : "", 100 * error,
               middle(measured.window) * 1e-6, middle(simulated.window) * 1e-6, middle(measured.driver),
               middle(simulated.driver), middle(measured.guest), middle(simulated.guest),
               middle(measured.fairness), middle(simulated.fairness));
  }
  if (!errors.empty())
    fmt::print("{} cells at others' costs: median {:.1f} %, most {:.1f} %\n", errors.size(),
               100 * middle(errors), 100 * *std::max_element(errors.begin(), errors.end()));
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) return fmt::print(stderr, "usage: simulate_error RUN...\n"), 2;
  for (int i = 1; i < argc; ++i)
    if (const int code = compare(argv[i]); code != 0) return code;
}
