#pragma once

#include <vector>

#include "account/probe_output.h"
#include "core/result.h"
#include "record/trial.h"

namespace vtax {

// How long the window's requests waited, by guest in the order of `guests`. Empty where no request was
// marked. Error (trial_failed): a guest is named that is not there.
[[nodiscard]] Result<std::vector<Waiting>> waiting_of(const ProbeWindow& window,
                                                      const std::vector<GuestWork>& guests);

}  // namespace vtax
