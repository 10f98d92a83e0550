#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "core/result.h"
#include "machine/lab/machine_spec.h"

namespace vtax::lab {

// How a machine is perturbed for one trial of `vtax run --vary` (factor `variation`, "layout-2"), so that an
// exact count shows how much of it is an accident. Each number is 0 where nothing is changed; the same number
// always changes the same.
struct Variation {
  // Memory size and the environment of the first process: whatever lies in memory lies elsewhere.
  int layout = 0;
  // The date at boot, which the kernel's random numbers and hash seeds begin with where there is no other
  // entropy.
  int seed = 0;
  // How long the agent sleeps before it sets the trial up: when timers tick relative to the work.
  int timer = 0;

  auto operator<=>(const Variation&) const = default;

  // A machine of its own has to be booted.
  [[nodiscard]] Variation at_boot() const { return {layout, seed, 0}; }
  void apply(MachineSpec& spec) const;
  [[nodiscard]] std::chrono::microseconds delay() const;
};

// "none", or what `vtax run --vary` names: "layout-2". Errors (usage): not a variation.
[[nodiscard]] Result<Variation> variation_of(std::string_view text);

}  // namespace vtax::lab
