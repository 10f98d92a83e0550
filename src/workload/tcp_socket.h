#pragma once

#include <netinet/in.h>
#include <sys/socket.h>

#include <cstdint>
#include <cstring>
#include <string>

#include "core/descriptor.h"
#include "core/result.h"
#include "workload/order.h"
#include "workload/watchdog.h"

namespace vtax {

struct TcpAddress {
  std::string ipv4;  // "10.77.0.2"
  std::uint16_t port = 0;
};

// `settings` are applied before the connection is made, since buffers decide on window scaling. Ports are the
// caller's on both sides, so that two runs can be the same. IPv4 only.
[[nodiscard]] Result<Descriptor> tcp_listen(const TcpAddress& at, const SocketSettings& settings = {});
[[nodiscard]] Result<Descriptor> tcp_accept(int listener, const Watchdog& watchdog);
// `source_port` 0 lets the system choose.
[[nodiscard]] Result<Descriptor> tcp_connect(const TcpAddress& to, std::uint16_t source_port,
                                             const SocketSettings& settings, const Watchdog& watchdog);

// Of a bound socket.
[[nodiscard]] Result<std::uint16_t> tcp_port(int fd);
[[nodiscard]] Result<sockaddr_in> socket_address(const TcpAddress& address);

// sockaddr_in is what the C interface calls a sockaddr: call(pointer, size).
template <class Call>
int with_address(const sockaddr_in& address, Call call) {
  sockaddr general{};
  static_assert(sizeof general == sizeof address);
  std::memcpy(&general, &address, sizeof general);
  return call(&general, static_cast<socklen_t>(sizeof general));
}

}  // namespace vtax
