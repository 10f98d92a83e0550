#pragma once

#include <cstdint>
#include <string>

#include "core/result.h"
#include "core/descriptor.h"
#include "workload/watchdog.h"

namespace vtax {

struct TcpAddress {
  std::string ipv4;  // "10.77.0.2"
  std::uint16_t port = 0;
};

// All sockets use congestion control cubic and send without delay (TCP_NODELAY); ports are the caller's on
// both sides, so that two runs are the same. IPv4 only.
[[nodiscard]] Result<Descriptor> tcp_listen(const TcpAddress& at);
[[nodiscard]] Result<Descriptor> tcp_accept(int listener, const Watchdog& watchdog);
// `source_port` 0 lets the system choose.
[[nodiscard]] Result<Descriptor> tcp_connect(const TcpAddress& to, std::uint16_t source_port,
                                             const Watchdog& watchdog);

}  // namespace vtax
