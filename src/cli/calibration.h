#pragma once

#include "core/result.h"
#include "machine/machine.h"
#include "study/study.h"

namespace vtax {

// Sets the lab's CPUs and wire as the study's [speed] says: its factors cpu_mips and link_mbps, as far as
// they have their usual values. Where it gives a cell ("native sends 941.49 Mb/s with 30 % of a CPU"), that
// cell is run at some speeds until its busiest CPU is so busy at that rate, within 1 %, eight times at most:
// batching may go to and fro between two speeds by some per cent. `lab`: the machine that runs it. Errors:
// those of its run(); that no speed does (trial_failed).
[[nodiscard]] Result<> set_speed(Study& study, Machine& lab, const OnStep& on_step);

}  // namespace vtax
