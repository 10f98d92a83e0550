#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "core/result.h"
#include "platform/platform.h"

namespace vtax {

// A running guest whose agent answers, seen from its driver domain.
struct BridgedGuest {
  std::string name;                  // "guest1"
  std::string backend;               // of its network device in the driver domain: "vif1.0", "tap1"
  std::string device;                // that device, as the guest calls it: "eth0"
  EndpointClient* client = nullptr;  // the caller's
};

// Who moves the guests' packets: Xen's Domain-0, KVM's host. It is the caller.
struct DriverDomain {
  std::string name;    // in the ledger: "Domain-0", "host"
  std::string bridge;  // that the backends are plugged into, with the domain's own address: "xenbr0"
  // What serves the backend of guest 1, 2, ... (interrupts, kernel threads, QEMU) goes to these of the
  // domain's CPUs, its queues in turn.
  std::function<Result<>(int guest, const std::string& backend, const std::vector<int>& cpus)> place_backend;
};

// Guests behind a bridge, or a router in its place, as the systems under test: netfront and netback, or
// virtio-net, QEMU or vhost-net and a tap; one bridge; and the driver domain's partner programs or a card.
// With Forwarding::macvtap `backend` and `device` are those of the guest's macvtap, configured with its
// second addresses, and the card is in no bridge. The guests are the caller's: they stay when this is
// destroyed. Their addresses are wiring's.
[[nodiscard]] std::unique_ptr<Platform> make_bridged_guests(DriverDomain driver,
                                                            std::vector<BridgedGuest> guests);

// What a guest's endpoint obeys besides the workload's orders: {"do": "offloads", "device", "on"}.
[[nodiscard]] Result<nlohmann::json> obey_offloads(const JsonFields& order);

}  // namespace vtax
