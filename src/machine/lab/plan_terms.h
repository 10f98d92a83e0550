#pragma once

#include <chrono>
#include <cstdint>
#include <string>

#include "machine/lab/emulator.h"
#include "machine/lab/machine_spec.h"

namespace vtax::lab {

// What a trial's plan asks of the machine itself, before the machine has read it. What a plan does not name
// has a trial's own default; so has all of a plan that is not JSON, which the agent will refuse.
struct PlanTerms {
  ParallelTime time;                      // "cpu_mips" and "round_instructions"
  std::uint64_t parties = 1;              // how many work at once: each marks the window's begin and end
  std::chrono::nanoseconds time_limit{};  // of the trial's own clock; 0: not named

  [[nodiscard]] static PlanTerms of(const std::string& plan);
  [[nodiscard]] Bounds bounds(bool models_caches) const;
};

}  // namespace vtax::lab
