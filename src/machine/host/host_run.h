#pragma once

#include <functional>
#include <string>
#include <vector>

#include "core/result.h"
#include "record/not_tried.h"
#include "record/trial.h"

namespace vtax::host {

// As in the lab (machine/lab/lab_run.h): called one at a time.
struct HostRunEvents {
  std::function<void(const std::string& step)> on_step;
  std::function<void(const Trial& trial)> on_start;
  std::function<Result<>(Trial trial)> on_finished;  // Trial::error says whether it failed
  OnNotTried on_not_tried = {};                      // of a machine that could not be made twice
};

// What the trials are made from on this computer besides its kernel and processor, by content: a JSON object
// with vtax's own hash (XXH3) and, for each platform with a guest, its packages and what runs it. Errors: as
// before run_on_host()'s first trial.
[[nodiscard]] Result<std::string> identify_host(const std::vector<Trial>& trials,
                                                const std::function<void(const std::string& step)>& on_step);

// Runs the trials on this computer, in their order and one at a time: two at once would measure each other.
// Before the first, it looks whether every platform can run here; one that cannot is an error (unavailable)
// with the reason and what mends it. A trial that fails fails alone; but where two trials find that the same
// machine cannot be made, with the same words, its others are not tried. Errors besides: interrupted, or
// on_finished's.
[[nodiscard]] Result<> run_on_host(std::vector<Trial> trials, const HostRunEvents& events);

}  // namespace vtax::host
