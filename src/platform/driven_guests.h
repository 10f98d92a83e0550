#pragma once

#include <memory>
#include <string>
#include <vector>

#include "core/result.h"
#include "platform/bridged_guests.h"
#include "platform/platform.h"

namespace vtax {

// A driver domain that is not the caller: it has a card and the network backends of its guests, and an agent
// that obeys the two orders below.
struct RemoteDriver {
  std::string name;                  // in the ledger: "driver1"
  EndpointClient* client = nullptr;  // the caller's
  std::string bridge;                // there; the backends are its ports already
  std::string card_mac;              // of its card
};

// Guests behind other driver domains than the caller, one bridge and one wire each, shared out over them in
// turn (Setup::wire_of); the peers' cards are the caller's. `domain` is the caller's name in the ledger. Of
// the setup's cards only the peers' are looked at. Topology `card` and forwarding `bridge` alone.
[[nodiscard]] std::unique_ptr<Platform> make_driven_guests(std::string domain,
                                                           std::vector<RemoteDriver> drivers,
                                                           std::vector<BridgedGuest> guests);

// What such a domain's agent obeys:
//   {"do": "carry", "bridge", "card": its Ethernet address, "backends": ["vif3.0", ...], "offloads",
//    "link_bits_per_second"}: the card comes into the bridge, and has its carrier, {"state": "done", "card":
//    "eth1"};
//   {"do": "counters", "devices": ["vif3.0", ...]}: what they have counted, {"state": "done", "devices"}.
[[nodiscard]] Result<nlohmann::json> obey_carry(const JsonFields& order);
[[nodiscard]] Result<nlohmann::json> obey_counters(const JsonFields& order);

// The second order, from the other side.
[[nodiscard]] Result<std::vector<DeviceCounters>> counters_of(const RemoteDevices& devices);

}  // namespace vtax
