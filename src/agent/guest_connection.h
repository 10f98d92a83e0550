#pragma once

#include <chrono>
#include <nlohmann/json.hpp>
#include <span>
#include <string>

#include "core/result.h"
#include "platform/links.h"
#include "workload/traffic/endpoint.h"
#include "workload/traffic/endpoint_client.h"

namespace vtax::agent {

// The agent of a guest that boots meanwhile; nothing tells when it listens. Error: not within the limit.
[[nodiscard]] Result<EndpointClient> connect_to_guest(const std::string& ipv4, const std::string& name,
                                                      std::chrono::seconds limit);

// Where the modules of this kernel (as domain `own`), of the guests' (guest1 first) and of the driver
// domains' (driver1 first) were loaded.
[[nodiscard]] Result<nlohmann::json> modules_of_all(const std::string& own, std::span<EndpointClient> guests,
                                                    std::span<EndpointClient> drivers = {});

// The other side of it, in a guest or a driver domain.
//
// The interface of this Ethernet address, which appears when its backend is ready.
[[nodiscard]] Result<std::string> wait_for_interface(Links& links, const std::string& mac);
// Obeys the first that connects, for ever; returns only by an error. `alone`, if it is not zero: how long it
// waits for that one, and goes on when nothing is heard of it any more.
[[nodiscard]] Result<> serve_controller(const std::string& ipv4, Endpoint::MoreOrders orders,
                                        std::chrono::seconds alone = {});

}  // namespace vtax::agent
