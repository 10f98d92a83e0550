#pragma once

#include <chrono>
#include <nlohmann/json.hpp>
#include <span>
#include <string>

#include "core/result.h"
#include "workload/endpoint_client.h"

namespace vtax::agent {

// The agent of a guest that boots meanwhile; nothing tells when it listens. Error: not within the limit.
[[nodiscard]] Result<EndpointClient> connect_to_guest(const std::string& ipv4, const std::string& name,
                                                      std::chrono::seconds limit);

// Where the modules of this kernel (as domain `own`) and of the guests' (guest1 first) were loaded.
[[nodiscard]] Result<nlohmann::json> modules_of_all(const std::string& own, std::span<EndpointClient> guests);

}  // namespace vtax::agent
