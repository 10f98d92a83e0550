#pragma once

#include <memory>
#include <string>
#include <vector>

#include "platform/bridged_guests.h"
#include "platform/platform.h"

namespace vtax {

// Guests that have a function of the system's card each, which switches their packets by itself. `device` of
// each is that function's, configured with its addresses (wiring::second_ipv4); its backend only carries
// orders. `domain` is the caller's name in the ledger, where the peers' card is. Topology `card` alone.
[[nodiscard]] std::unique_ptr<Platform> make_switched_guests(std::string domain,
                                                             std::vector<BridgedGuest> guests);

}  // namespace vtax
