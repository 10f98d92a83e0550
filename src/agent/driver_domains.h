#pragma once

#include <vector>

#include "agent/driver_machine.h"
#include "core/result.h"

// Xen's driver domains, seen from Domain-0: each has a card by PCI passthrough and the network backends of
// its guests. Domain-0 reaches them, and through their bridges the guests, by an interface to each.
namespace vtax::agent {

struct DriverDomains {
  std::vector<RemoteDriver> drivers;    // without their clients
  std::vector<EndpointClient> clients;  // their agents
};

// Gives the cards away, makes the bridges to the domains with this domain's address, creates them and waits
// for their agents. None: nothing is done.
[[nodiscard]] Result<DriverDomains> create_driver_domains(const DriverShape& shape);

// After guest 1, 2, ... was created: its backend becomes a port of its driver domain's bridge.
[[nodiscard]] Result<> plug_guest(DriverDomains& domains, const DriverShape& shape, int guest);

}  // namespace vtax::agent
