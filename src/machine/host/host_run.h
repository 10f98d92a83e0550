#pragma once

#include <functional>
#include <string>
#include <vector>

#include "core/result.h"
#include "record/trial.h"

namespace vtax::host {

// As in the lab (machine/lab/lab_run.h): called one at a time.
struct HostRunEvents {
  std::function<void(const std::string& step)> on_step;
  std::function<void(const Trial& trial)> on_start;
  std::function<Result<>(Trial trial)> on_finished;  // Trial::error says whether it failed
};

// Runs the trials on this computer, in their order and one at a time: two at once would measure each other.
// Before the first, it looks whether every platform can run here; one that cannot is an error (unavailable)
// with the reason and what mends it. A trial that fails fails alone. Errors besides: interrupted, or
// on_finished's.
[[nodiscard]] Result<> run_on_host(std::vector<Trial> trials, const HostRunEvents& events);

}  // namespace vtax::host
