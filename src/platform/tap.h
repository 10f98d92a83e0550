#pragma once

#include <string>

#include "core/result.h"

namespace vtax {

// Makes an Ethernet tap in the caller's network namespace, which takes packets with their offloads' headers
// (IFF_VNET_HDR). It stays as long as the namespace does, whoever opens it meanwhile. Error: unavailable.
[[nodiscard]] Result<> make_tap(const std::string& device);

}  // namespace vtax
