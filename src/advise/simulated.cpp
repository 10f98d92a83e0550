#include "advise/simulated.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "simulate/simulated_mix.h"
#include "simulate/simulated_trial.h"
#include "study/catalogue.h"

namespace vtax::advise {
namespace {

constexpr std::uint64_t kSeed = 1;

simulate::SchedulerKind scheduler_of(const TrialSpec& spec) {
  switch (spec.scheduler) {
    case Scheduler::credit:
      return simulate::SchedulerKind::credit;
    case Scheduler::rtds:
      return simulate::SchedulerKind::rtds;
    case Scheduler::null:
      return simulate::SchedulerKind::null;
    case Scheduler::credit2:
      break;
  }
  return simulate::SchedulerKind::credit2;
}

std::uint64_t rounded(double value) {
  return static_cast<std::uint64_t>(std::llround(value));
}

// The price of one guest's work, as if the lab had measured it.
simulate::PricedCell priced(const TrialSpec& spec, const Factors& cell, const ToldCell& told) {
  constexpr double kKilobyte = 1024, kNanoseconds = 1e9;
  const auto amount = static_cast<double>(simulate::amount_of(spec));
  const double units = told.unit == Unit::kilobyte ? amount / kKilobyte : amount;
  simulate::PricedCell prices;
  prices.factors = cell;
  prices.spec = spec;
  prices.guest[{Layer::kernel, Part::none}] = rounded(told.of_guests * units);
  prices.driver[{Layer::driver, Part::none}] = rounded(told.of_driver * units);
  prices.peer = rounded(told.of_peer * units);
  if (told.unit == Unit::kilobyte)
    prices.work.bytes = Bytes(rounded(amount));
  else
    prices.work.transactions = Transactions(rounded(amount));
  prices.window_ns = rounded(units / units_per_second(told.unit, *told.rate) * kNanoseconds);
  return prices;
}

// A cell, and that of one of its guests alone, as the simulator takes them.
struct SimulatedCell {
  TrialSpec wanted;
  simulate::PricedCell prices;
};

Result<SimulatedCell> cell_to_simulate(const Server& server, const Factors& cell, const ToldCell& one_guest,
                                       int told_mips) {
  if (!one_guest.rate || told_mips == 0)
    return fail({"cannot simulate the placement", "the model does not know how fast it goes", ""});
  auto wanted = trial_spec_of(cell);
  if (!wanted) return fail(wanted.error());
  Factors alone = without_sharing(cell);
  alone["guests"] = "1";
  auto spec = trial_spec_of(alone);
  if (!spec) return fail(spec.error());
  spec->cpu_mips = told_mips;
  wanted->cpu_mips = static_cast<int>(rounded(std::max(1.0, server.cpu_mips)));
  wanted->link_mbps = rounded(server.link_mbps);
  return SimulatedCell{*wanted, priced(*spec, alone, one_guest)};
}

}  // namespace

std::optional<std::string> obstacle_to_simulating(const Factors& cell) {
  const auto spec = trial_spec_of(cell);
  if (!spec) return spec.error().why;
  return simulate::obstacle_to_simulating(*spec, scheduler_of(*spec));
}

Factors without_sharing(Factors cell) {
  for (const char* factor : {"guest_cpu", "scheduler", "guest_weights", "guest_cap_percent"})
    cell.erase(factor);
  return cell;
}

Result<Simulated> simulate_cell(const Server& server, const Factors& cell, const ToldCell& one_guest,
                                int told_mips) {
  const auto cell_here = cell_to_simulate(server, cell, one_guest, told_mips);
  if (!cell_here) return fail(cell_here.error());
  Trial trial;
  if (auto done = simulate::simulate({cell_here->wanted, scheduler_of(cell_here->wanted), kSeed},
                                     cell_here->prices, trial);
      !done)
    return fail(done.error());
  constexpr double kNanoseconds = 1e9, kBitsOfByte = 8, kMegabit = 1e6, kMicrosecond = 1000;
  Simulated result;
  const double seconds = static_cast<double>(trial.window_virtual_ns) / kNanoseconds;
  if (seconds <= 0) return fail({"cannot simulate the placement", "it takes no time", ""});
  result.rate = one_guest.unit == Unit::kilobyte
                    ? static_cast<double>(trial.work.bytes.value) * kBitsOfByte / kMegabit / seconds
                    : static_cast<double>(trial.work.transactions.value) / seconds;
  for (const Waiting& waiting : trial.waiting)
    result.p99_us = std::max(result.p99_us.value_or(0), static_cast<double>(waiting.p99_ns) / kMicrosecond);
  return result;
}

Result<std::vector<Simulated>> simulate_cells(const Server& server, const std::vector<Factors>& cells,
                                              const std::vector<ToldCell>& one_guest, int told_mips) {
  constexpr double kBitsOfByte = 8, kMegabit = 1e6, kMicrosecond = 1000;
  std::vector<simulate::MixedApplication> all;
  for (std::size_t i = 0; i < cells.size(); ++i) {
    auto cell = cell_to_simulate(server, cells[i], one_guest[i], told_mips);
    if (!cell) return fail(cell.error());
    const double rate = server.applications[i].rate;
    const bool is_stream = one_guest[i].unit == Unit::kilobyte;
    all.push_back({cell->wanted, std::move(cell->prices), is_stream ? rate * kMegabit / kBitsOfByte : rate});
  }
  const auto outcomes = simulate::simulate_mix(all, scheduler_of(all.front().spec), kSeed);
  if (!outcomes) return fail(outcomes.error());
  std::vector<Simulated> results;
  for (std::size_t i = 0; i < outcomes->size(); ++i) {
    const simulate::MixedOutcome& outcome = (*outcomes)[i];
    const bool is_stream = one_guest[i].unit == Unit::kilobyte;
    results.push_back({is_stream ? outcome.a_second * kBitsOfByte / kMegabit : outcome.a_second, {}});
    if (outcome.p99_ns) results.back().p99_us = static_cast<double>(*outcome.p99_ns) / kMicrosecond;
  }
  return results;
}

}  // namespace vtax::advise
