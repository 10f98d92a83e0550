#pragma once

#include <memory>
#include <string>
#include <vector>

#include "core/result.h"
#include "platform/platform.h"

namespace vtax {

// A running Xen guest whose agent answers, seen from Domain-0.
struct XenGuest {
  std::string name;    // "guest1"
  std::string vif;     // its network backend: "vif1.0"
  std::string bridge;  // the bridge that the vif is plugged into, with Domain-0's own address: "xenbr0"
  std::string device;  // its frontend, as the guest calls it: "eth0"
  EndpointClient* client = nullptr;  // the caller's
};

// The guests as the systems under test: netfront, netback, one bridge, and Domain-0's partner programs or a
// card. The guests are the caller's: they stay when this is destroyed. Their addresses are wiring's.
[[nodiscard]] std::unique_ptr<Platform> make_xen_pv(std::vector<XenGuest> guests);

// A backend's kernel threads and interrupts go to one CPU of Domain-0, with those of xenbus.
[[nodiscard]] Result<> place_backend(const std::string& vif, int cpu);

// What a guest's endpoint obeys besides the workload's orders: {"do": "offloads", "device", "on"}.
[[nodiscard]] Result<nlohmann::json> obey_offloads(const JsonFields& order);

}  // namespace vtax
