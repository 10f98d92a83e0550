#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "core/result.h"
#include "workload/endpoint_client.h"

namespace vtax::agent {

// The agent of a guest that boots meanwhile; nothing tells when it listens. Error: not within two minutes.
[[nodiscard]] Result<EndpointClient> connect_to_guest(const std::string& ipv4, const std::string& name);

// Where the modules of this kernel (as domain `own`) and of the guest's (as `guest`) were loaded.
[[nodiscard]] Result<nlohmann::json> modules_of_both(const std::string& own, EndpointClient& client,
                                                     const std::string& guest);

}  // namespace vtax::agent
