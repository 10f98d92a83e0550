#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "core/result.h"
#include "machine/lab/lab_identity.h"
#include "machine/lab/lab_image.h"
#include "record/not_tried.h"
#include "record/trial.h"

namespace vtax::lab {

struct LabRunOptions {
  Sources sources;  // the user's own kernel, modules, Xen
  int jobs = 2;     // machines at once; each takes one CPU and some 1.2 GB
  // Those that the run's identity names: a run in which one turns out to be another ends. Empty: any.
  std::map<ImageName, std::string> images = {};
};

// Machines that this run needs, of which each is booted once; one that a snapshot holds is there at once.
struct Boots {
  std::size_t left = 0;
  std::size_t done = 0;
  std::chrono::nanoseconds spent{0};  // on those done
};

// Called from several threads, one at a time.
struct LabRunEvents {
  std::function<void(const std::string& step)> on_step;   // "fetching linux-image", "booting xen-pv once"
  std::function<void(const Boots& boots)> on_boots = {};  // at the begin, and when one is there
  std::function<void(const Trial& trial)> on_start;
  std::function<Result<>(Trial trial)>
      on_finished;               // Trial::error says whether it failed; an Error ends the run
  OnNotTried on_not_tried = {};  // of a machine that could not be booted
};

// Runs the trials in the lab, several at once, the repetitions of a cell one after the other; their order of
// finishing is not that of the list, their results do not depend on it. The trials of a machine that cannot
// be booted are not tried, all others are. The user's own builds are looked at, and images made of them,
// before the first trial. Errors: those of the own builds, no QEMU, no network for the packages, interrupted,
// or on_finished's.
[[nodiscard]] Result<> run_in_lab(std::vector<Trial> trials, const LabRunOptions& options,
                                  const LabRunEvents& events);

}  // namespace vtax::lab
