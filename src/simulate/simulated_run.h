#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "core/result.h"
#include "record/trial.h"
#include "simulate/prices.h"
#include "simulate/scheduler.h"
#include "study/plan.h"

namespace vtax::simulate {

inline constexpr char kSimulatorMachine[] = "simulator";  // in a run's settings

struct SimulationWish {
  std::string costs;                       // the file, as the user named it
  std::optional<SchedulerKind> scheduler;  // instead of the study's, for those that studies do not know
  std::uint64_t seed = 1;
};

// Leaves out the trials that the simulator does not know; those left are numbered anew. A note says of each
// reason how many cells it took. Error (usage): nothing is left.
[[nodiscard]] Result<std::vector<std::string>> leave_out_unknown(const SimulationWish& wish,
                                                                 const PriceList& prices, Plan& plan);

// What the run file says of the whole run: it holds no time or name of this computer, so that the same wish
// makes the same trials.
[[nodiscard]] Run header_of(const SimulationWish& wish, const PriceList& prices, const Plan& plan);

// One after the other. A trial that fails says why and the others go on; errors are `keep`'s.
[[nodiscard]] Result<> simulate_all(const SimulationWish& wish, const PriceList& prices, const Plan& plan,
                                    const std::function<Result<>(const Trial&)>& keep);

}  // namespace vtax::simulate
