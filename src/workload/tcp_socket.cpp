#include "workload/tcp_socket.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>

namespace vtax {
namespace {

constexpr char congestion_control[] = "cubic";

Error trouble(std::string what) {
  Error error = system_error(std::move(what), errno);
  error.code = ExitCode::trial_failed;
  return error;
}

Result<sockaddr_in> parse(const TcpAddress& address, const std::string& step) {
  sockaddr_in parsed{};
  parsed.sin_family = AF_INET;
  parsed.sin_port = htons(address.port);
  if (inet_pton(AF_INET, address.ipv4.c_str(), &parsed.sin_addr) != 1) {
    return fail(Error{step, "not an IPv4 address", "", ExitCode::trial_failed});
  }
  return parsed;
}

// sockaddr_in is what the C interface calls a sockaddr.
template <class Call>
int with(const sockaddr_in& address, Call call) {
  sockaddr general{};
  static_assert(sizeof general == sizeof address);
  std::memcpy(&general, &address, sizeof general);
  return call(&general, static_cast<socklen_t>(sizeof general));
}

Result<Descriptor> tcp_socket(const std::string& step) {
  Descriptor fd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const int on = 1;
  if (!fd.valid() || setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0 ||
      setsockopt(fd.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) != 0 ||
      setsockopt(fd.get(), IPPROTO_TCP, TCP_CONGESTION, congestion_control, sizeof congestion_control - 1) !=
          0) {
    return fail(trouble(step));
  }
  return fd;
}

}  // namespace

Result<Descriptor> tcp_listen(const TcpAddress& at) {
  const std::string step = fmt::format("listen on {}:{}", at.ipv4, at.port);
  const Result<sockaddr_in> address = parse(at, step);
  if (!address) return fail(address.error());
  Result<Descriptor> fd = tcp_socket(step);
  if (!fd) return fd;
  const int bound =
      with(*address, [&](const sockaddr* a, socklen_t size) { return bind(fd->get(), a, size); });
  if (bound != 0 || listen(fd->get(), 4) != 0) return fail(trouble(step));
  return fd;
}

Result<Descriptor> tcp_accept(int listener, const Watchdog& watchdog) {
  while (true) {
    Descriptor fd(accept4(listener, nullptr, nullptr, SOCK_CLOEXEC));
    if (fd.valid()) return fd;
    if (errno != EINTR) return fail(trouble("accept a connection"));
    if (watchdog.expired()) return fail(watchdog.timeout("accept a connection"));
  }
}

Result<Descriptor> tcp_connect(const TcpAddress& to, std::uint16_t source_port, const Watchdog& watchdog) {
  const std::string step = fmt::format("connect to {}:{}", to.ipv4, to.port);
  const Result<sockaddr_in> address = parse(to, step);
  if (!address) return fail(address.error());
  Result<Descriptor> fd = tcp_socket(step);
  if (!fd) return fd;
  if (source_port != 0) {
    sockaddr_in source{};
    source.sin_family = AF_INET;
    source.sin_port = htons(source_port);
    if (with(source, [&](const sockaddr* a, socklen_t size) { return bind(fd->get(), a, size); }) != 0) {
      return fail(trouble(fmt::format("{} from port {}", step, source_port)));
    }
  }
  while (with(*address, [&](const sockaddr* a, socklen_t size) { return connect(fd->get(), a, size); }) !=
         0) {
    if (errno == EISCONN) break;  // an interrupted connect goes on by itself
    if (errno != EINTR && errno != EALREADY) return fail(trouble(step));
    if (watchdog.expired()) return fail(watchdog.timeout(step));
  }
  return fd;
}

}  // namespace vtax
