#include "workload/traffic/tcp_socket.h"

#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <cerrno>

#include "core/readable.h"
#include "workload/traffic/socket_io.h"

namespace vtax {
namespace {

Result<Descriptor> tcp_socket(int family, const SocketSettings& settings, const std::string& step) {
  Descriptor fd(socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!fd.valid()) return fail(failed_step(step));
  const auto set = [&](int level, int option, int value) {
    return setsockopt(fd.get(), level, option, &value, sizeof value) == 0;
  };
  bool good = set(SOL_SOCKET, SO_REUSEADDR, 1) && set(IPPROTO_TCP, TCP_NODELAY, settings.no_delay ? 1 : 0);
  if (good && settings.send_buffer != 0)
    good = set(SOL_SOCKET, SO_SNDBUF, static_cast<int>(settings.send_buffer));
  if (good && settings.receive_buffer != 0)
    good = set(SOL_SOCKET, SO_RCVBUF, static_cast<int>(settings.receive_buffer));
  if (good && settings.segment_bytes != 0)
    good = set(IPPROTO_TCP, TCP_MAXSEG, static_cast<int>(settings.segment_bytes));
  if (!good) return fail(failed_step(step));
  if (!settings.congestion.empty() &&
      setsockopt(fd.get(), IPPROTO_TCP, TCP_CONGESTION, settings.congestion.data(),
                 static_cast<socklen_t>(settings.congestion.size())) != 0) {
    Error error = failed_step(fmt::format("use congestion control '{}'", printable(settings.congestion)));
    error.next = "/proc/sys/net/ipv4/tcp_available_congestion_control lists what this kernel has";
    return fail(std::move(error));
  }
  return fd;
}

}  // namespace

Result<NetAddress> socket_address(const TcpAddress& address) {
  return NetAddress::parse(address.host, address.port);
}

Result<std::uint16_t> tcp_port(int fd) {
  const NetAddress address = NetAddress::of_socket(fd);
  if (address.family() == AF_UNSPEC) return fail(failed_step("ask for a socket's port"));
  return address.port();
}

Result<Descriptor> tcp_listen(const TcpAddress& at, const SocketSettings& settings) {
  const std::string step = "listen on " + host_and_port(at.host, at.port);
  const Result<NetAddress> address = socket_address(at);
  if (!address) return fail(address.error());
  Result<Descriptor> fd = tcp_socket(address->family(), settings, step);
  if (!fd) return fd;
  if (bind(fd->get(), address->get(), address->size()) != 0 || listen(fd->get(), SOMAXCONN) != 0)
    return fail(failed_step(step));
  return fd;
}

Result<Descriptor> tcp_accept(int listener, const Watchdog& watchdog) {
  while (true) {
    Descriptor fd(accept4(listener, nullptr, nullptr, SOCK_CLOEXEC));
    if (fd.valid()) return fd;
    if (errno != EINTR) return fail(failed_step("accept a connection"));
    if (watchdog.expired()) return fail(watchdog.timeout("accept a connection"));
  }
}

Result<Descriptor> tcp_connect(const TcpAddress& to, std::uint16_t source_port,
                               const SocketSettings& settings, const Watchdog& watchdog) {
  const std::string step = "connect to " + host_and_port(to.host, to.port);
  const Result<NetAddress> address = socket_address(to);
  if (!address) return fail(address.error());
  Result<Descriptor> fd = tcp_socket(address->family(), settings, step);
  if (!fd) return fd;
  if (source_port != 0) {
    const NetAddress source = NetAddress::any(address->family(), source_port);
    if (bind(fd->get(), source.get(), source.size()) != 0) {
      return fail(failed_step(fmt::format("{} from port {}", step, source_port)));
    }
  }
  while (connect(fd->get(), address->get(), address->size()) != 0) {
    if (errno == EISCONN) break;  // an interrupted connect goes on by itself
    if (errno != EINTR && errno != EALREADY) return fail(failed_step(step));
    if (watchdog.expired()) return fail(watchdog.timeout(step));
  }
  return fd;
}

}  // namespace vtax
