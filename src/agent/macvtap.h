#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "core/descriptor.h"
#include "core/json_fields.h"
#include "core/result.h"
#include "workload/traffic/endpoint_client.h"

// Taps on the driver domain's card itself, one for each guest of KVM. They are made for the trials that want
// them, as functions of a card are.
namespace vtax::agent {

// In the driver domain. Error: its kernel has none.
[[nodiscard]] Result<> load_macvtap();

// Makes the guest's (lab::guest_macvtap) on the network device `card`, up, with its second address: a
// descriptor for each of its queues, as QEMU takes them.
[[nodiscard]] Result<std::vector<Descriptor>> make_macvtap(int guest, const std::string& card, int queues);

// The guest's network device behind it, up, with address and the way to the peer.
[[nodiscard]] Result<std::string> take_macvtap(EndpointClient& client, int guest);

// What its agent obeys, "macvtap" (second_device.h).
[[nodiscard]] Result<nlohmann::json> obey_macvtap(const JsonFields& order);

}  // namespace vtax::agent
