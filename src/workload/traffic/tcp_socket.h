#pragma once

#include <sys/socket.h>

#include <cstdint>
#include <string>

#include "core/descriptor.h"
#include "core/net_address.h"
#include "core/result.h"
#include "workload/measure/watchdog.h"
#include "workload/traffic/order.h"

namespace vtax {

struct TcpAddress {
  std::string host;  // as core/net_address.h reads it: "10.77.0.2", "::1", "fe80::1%eth0", "localhost"
  std::uint16_t port = 0;
};

// `settings` are applied before the connection is made, since buffers decide on window scaling. Ports are the
// caller's on both sides, so that two runs can be the same.
[[nodiscard]] Result<Descriptor> tcp_listen(const TcpAddress& at, const SocketSettings& settings = {});
[[nodiscard]] Result<Descriptor> tcp_accept(int listener, const Watchdog& watchdog);
// `source_port` 0 lets the system choose.
[[nodiscard]] Result<Descriptor> tcp_connect(const TcpAddress& to, std::uint16_t source_port,
                                             const SocketSettings& settings, const Watchdog& watchdog);

// Of a bound socket.
[[nodiscard]] Result<std::uint16_t> tcp_port(int fd);
[[nodiscard]] Result<NetAddress> socket_address(const TcpAddress& address);

}  // namespace vtax
