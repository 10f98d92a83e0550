#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/result.h"
#include "machine/host/guest_parts.h"
#include "machine/host/host_trial.h"
#include "machine/machine.h"
#include "machine/parts/lab_image.h"
#include "machine/parts/package_cache.h"
#include "record/trial.h"

namespace vtax::host {

// What trials need: what each platform's guests boot, and the user's programs.
struct HostParts {
  std::optional<lab::PackageCache> cache;  // some of the parts may go with it
  std::map<PlatformId, GuestParts> guests;
  std::map<lab::WorkloadFiles, HostProgram> programs;
};

// It looks whether every platform can run here; one that cannot is an error (unavailable) with the reason and
// what mends it. Errors besides: packages and images cannot be had; interrupted.
[[nodiscard]] Result<HostParts> prepare_host(const std::vector<Trial>& trials, const OnStep& on_step);

// What trials are made from on this computer, by content: a JSON object with vtax's own hash (XXH3), the
// computer's kernel and processor and, for each platform with a guest, its packages and what runs it.
[[nodiscard]] Result<std::string> identify_host(const HostParts& parts);

// Runs the trials on this computer, in their order and one at a time: two at once would measure each other.
// `parts`: of these trials, or of more. A trial that fails fails alone; but where two trials find that the
// same machine cannot be made, with the same words, its others are not tried. Errors besides: interrupted, or
// on_finished's.
[[nodiscard]] Result<> run_on_host(std::vector<Trial> trials, const HostParts& parts,
                                   const MachineEvents& events);

}  // namespace vtax::host
