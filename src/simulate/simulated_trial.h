#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "core/result.h"
#include "record/trial.h"
#include "simulate/prices.h"
#include "simulate/scheduler.h"

namespace vtax::simulate {

// Why the simulator does not know such a trial: a factor's value or a workload, by name; nothing where it
// does (docs/simulator.md lists them).
[[nodiscard]] std::optional<std::string> obstacle_to_simulating(const TrialSpec& spec,
                                                                SchedulerKind scheduler);

struct SimulatedTrial {
  TrialSpec spec;
  SchedulerKind scheduler = SchedulerKind::credit2;
  std::uint64_t seed = 0;  // of when the guests begin
};

// Runs the trial's guests against each other at the prices of one guest. The trial has what reports read: its
// guests' work and times, busy CPUs, latencies, and a ledger, which is the prices times the work. Error
// (trial_failed): datagrams were lost, as in the lab.
[[nodiscard]] Result<> simulate(const SimulatedTrial& wanted, const PricedCell& prices, Trial& trial);

}  // namespace vtax::simulate
