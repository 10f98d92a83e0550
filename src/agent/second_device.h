#pragma once

#include <functional>
#include <nlohmann/json.hpp>
#include <string>

#include "core/json_fields.h"
#include "core/result.h"
#include "workload/traffic/endpoint_client.h"

// A guest's second network device, which carries the work beside the one by which it is ordered.
namespace vtax::agent {

// Has guest 1, 2, ... take the device that it was given, by one of its orders: {"do": `order`, "ipv4",
// "mac"}. The device as the guest calls it; it is up, with address and the way to the peer.
[[nodiscard]] Result<std::string> take_second_device(EndpointClient& client, const char* order, int guest);

// How its agent obeys: {"state": "done", "device": "eth1"}. `prepare` is called with the device before it is
// up.
[[nodiscard]] Result<nlohmann::json> obey_second_device(
    const JsonFields& order, const std::function<Result<>(const std::string& device)>& prepare);

}  // namespace vtax::agent
