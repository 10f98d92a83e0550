#pragma once

#include <functional>
#include <string>

#include "core/result.h"
#include "machine/lab/lab_run.h"
#include "study/study.h"

namespace vtax {

// Sets the lab's CPUs and wire as the study's [speed] says: its factors cpu_mips and link_mbps, as far as
// they have their usual values. Where it gives a cell ("native sends 941.49 Mb/s with 30 % of a CPU"), that
// cell is run at some speeds until its busiest CPU is so busy at that rate, within 1 %, eight times at most:
// batching may go to and fro between two speeds by some per cent. Errors: those of run_in_lab; that no speed
// does (trial_failed).
[[nodiscard]] Result<> set_speed(Study& study, const lab::LabRunOptions& options,
                                 const std::function<void(const std::string& step)>& on_step);

}  // namespace vtax
