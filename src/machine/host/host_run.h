#pragma once

#include <string>
#include <vector>

#include "core/result.h"
#include "machine/machine.h"
#include "record/trial.h"

namespace vtax::host {

// What the trials are made from on this computer, by content: a JSON object with vtax's own hash (XXH3), the
// computer's kernel and processor and, for each platform with a guest, its packages and what runs it. Errors:
// as before run_on_host()'s first trial.
[[nodiscard]] Result<std::string> identify_host(const std::vector<Trial>& trials, const OnStep& on_step);

// Runs the trials on this computer, in their order and one at a time: two at once would measure each other.
// Before the first, it looks whether every platform can run here; one that cannot is an error (unavailable)
// with the reason and what mends it. A trial that fails fails alone; but where two trials find that the same
// machine cannot be made, with the same words, its others are not tried. Errors besides: interrupted, or
// on_finished's.
[[nodiscard]] Result<> run_on_host(std::vector<Trial> trials, const MachineEvents& events);

}  // namespace vtax::host
