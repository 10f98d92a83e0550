#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/descriptor.h"
#include "core/result.h"

namespace vtax::http {

struct Listeners {
  std::vector<Descriptor> sockets;  // non-blocking, one a thread; the kernel spreads connections over them
  std::uint16_t port = 0;
};

// ExitCode::usage for an address that is none or not this machine's, trial_failed when the port is in use.
[[nodiscard]] Result<Listeners> listen_on(const std::string& address, std::uint16_t port, int sockets);

}  // namespace vtax::http
