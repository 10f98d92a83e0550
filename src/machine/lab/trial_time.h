#pragma once

#include <vector>

#include "core/lab_prices.h"
#include "core/result.h"
#include "machine/lab/machine_spec.h"
#include "record/trial.h"
#include "subject/trial_spec.h"

namespace vtax::lab {

// How time passes in this trial.
[[nodiscard]] ParallelTime time_of(const TrialSpec& trial);

// Which CPU executed for whom, and for how long: the ledger's instructions but for the idle ones, times what
// each takes. All that the peer's CPU executed is `peer`'s.
[[nodiscard]] std::vector<Busy> busy_of(const Trial& trial, const Speed& speed, int peer_cpu);

// The same of a trial at prices: what its instructions and events took. The peer's is not known.
[[nodiscard]] std::vector<Busy> busy_of(const Trial& trial, const LabPrices& prices);

}  // namespace vtax::lab
