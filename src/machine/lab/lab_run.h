#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "core/result.h"
#include "machine/lab/lab_identity.h"
#include "machine/machine.h"
#include "machine/parts/lab_image.h"
#include "record/trial.h"

namespace vtax::lab {

struct LabRunOptions {
  Sources sources;        // the user's own kernel, modules, Xen
  int jobs = 2;           // machines at once; each takes one CPU and some 1.2 GB
  OwnStacks stacks = {};  // that the study describes
  // Those that the run's identity names: a run in which one turns out to be another ends. Empty: any.
  std::map<ImageName, std::string> images = {};
};

// The machines that these trials need, by the stack that they boot.
[[nodiscard]] std::map<BootedStacks, std::set<PlatformId>> kinds_by_stack(const std::vector<Trial>& trials);
// Whether the user's own builds fit the machines that these trials need, and have the cards that they send
// over. Errors: check_stacks()', check_cards()'.
[[nodiscard]] Result<> check_own_builds(const std::vector<Trial>& trials, const LabRunOptions& options);

// Runs the trials in the lab, several at once, the repetitions of a cell one after the other; their order of
// finishing is not that of the list, their results do not depend on it. The trials of a machine that cannot
// be booted are not tried, all others are. The user's own builds are looked at, and images made of them,
// before the first trial. Errors: those of the own builds, no QEMU, no network for the packages, interrupted,
// or on_finished's.
[[nodiscard]] Result<> run_in_lab(std::vector<Trial> trials, const LabRunOptions& options,
                                  const MachineEvents& events);

}  // namespace vtax::lab
