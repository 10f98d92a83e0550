#pragma once

#include <memory>
#include <string>

#include "core/result.h"
#include "platform/platform.h"

namespace vtax {

// A running Xen guest whose agent answers, seen from Domain-0.
struct XenGuest {
  std::string name;    // "guest1"
  std::string vif;     // its network backend: "vif1.0"
  std::string bridge;  // the bridge that the vif is plugged into, with Domain-0's own address: "xenbr0"
  std::string device;  // its frontend, as the guest calls it: "eth0"
};

// The guest as the system under test: netfront, netback, bridge, and Domain-0's partner program or a card.
// The guest is the caller's: it stays when this is destroyed. Its addresses are wiring's.
[[nodiscard]] std::unique_ptr<Platform> make_xen_pv(XenGuest guest, EndpointClient& client);

// The backend's kernel threads and interrupts go to one CPU of Domain-0, with those of xenbus.
[[nodiscard]] Result<> place_backend(const std::string& vif, int cpu);

// What a guest's endpoint obeys besides the workload's orders: {"do": "offloads", "device", "on"}.
[[nodiscard]] Result<nlohmann::json> obey_offloads(const JsonFields& order);

}  // namespace vtax
