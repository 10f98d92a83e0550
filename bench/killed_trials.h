#pragma once

#include <map>
#include <nlohmann/json.hpp>
#include <string>

#include "machine/host/guest_parts.h"
#include "record/trial.h"

namespace vtax {

// Within a Domain-0: starts the trial again and again, kills it after chosen times, and looks for what is
// left in Xen, in xenstore, in the kernel, among the processes and on disk. `every`: the whole list of
// moments, not only the test's few.
[[nodiscard]] nlohmann::json kill_trials(const Trial& trial,
                                         const std::map<PlatformId, host::GuestParts>& guests, bool every);

// Within a Domain-0: destroys the domain of a trial that measures, as somebody else might.
[[nodiscard]] nlohmann::json destroy_in_trial(const Trial& trial,
                                              const std::map<PlatformId, host::GuestParts>& guests);

// Outside: how that ended. Returns 1 where it did not say at once what happened, else 0.
[[nodiscard]] int print_destroyed(const nlohmann::json& destroyed);

// Likewise what the kills gave, as a table. Returns of how many trials something was left.
[[nodiscard]] int print_kills(const nlohmann::json& kills);

}  // namespace vtax
