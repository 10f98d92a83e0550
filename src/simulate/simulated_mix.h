#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "core/result.h"
#include "simulate/prices.h"
#include "simulate/scheduler.h"
#include "subject/trial_spec.h"

namespace vtax::simulate {

// One of several applications on a server, each at its own rate.
struct MixedApplication {
  TrialSpec spec;       // its guests; platform, placement, speed and link are those of the first application
  PricedCell prices;    // of one of its guests
  double a_second = 0;  // of all its guests: exchanges; of streams bytes
};

struct MixedOutcome {
  double a_second = 0;                  // that was reached, of what was asked for
  std::optional<std::uint64_t> p99_ns;  // of exchanges, from when each was due; the slowest guest's
};

// All of them at once, each guest's exchanges one at a time, for as long as the slowest has asked `exchanges`
// times, but for a simulated minute at most. By application. Error (trial_failed): none of them ever ends an
// exchange.
[[nodiscard]] Result<std::vector<MixedOutcome>> simulate_mix(const std::vector<MixedApplication>& all,
                                                             SchedulerKind scheduler, std::uint64_t seed,
                                                             std::uint64_t exchanges = 1000);

}  // namespace vtax::simulate
