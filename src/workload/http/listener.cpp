#include "workload/http/listener.h"

#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <cerrno>

#include "core/readable.h"
#include "workload/http/url.h"

namespace vtax::http {
namespace {

constexpr int backlog = 4096;

// The C interface's general address.
sockaddr* general(sockaddr_storage& address) {
  return reinterpret_cast<sockaddr*>(&address);
}

Error error_of(const std::string& step, int number) {
  Error error = system_error(step, number);
  error.code = ExitCode::trial_failed;
  if (number == EADDRINUSE)
    error.next = "choose another --port (0 takes a free one), or end what listens there";
  if (number == EADDRNOTAVAIL) {
    error.code = ExitCode::usage;
    error.next = "--bind takes an address of this machine (ip address)";
  }
  if (number == EACCES) error.next = "ports below 1024 belong to root; choose a higher --port";
  return error;
}

// Without SO_REUSEPORT, so that a port which another program, or another vtax, listens on is an error.
Result<> probe(sockaddr_storage address, socklen_t size, const std::string& step) {
  const Descriptor fd(socket(address.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const int on = 1;
  if (!fd.valid() || setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0 ||
      bind(fd.get(), general(address), size) != 0 || listen(fd.get(), 1) != 0)
    return fail(error_of(step, errno));
  return {};
}

}  // namespace

Result<Listeners> listen_on(const std::string& address, std::uint16_t port, int sockets) {
  const std::string step = fmt::format("cannot listen on {} port {}", printable(address), port);
  sockaddr_storage place{};
  socklen_t size = 0;
  if (!numeric_address(address, port, place, size))
    return fail(
        {step, "that is no numeric address", "for example --bind 127.0.0.1, or 0.0.0.0 for every network"});
  if (port != 0)
    if (Result<> free = probe(place, size, step); !free) return fail(free.error());
  Listeners out;
  const int on = 1;
  for (int i = 0; i < sockets; ++i) {
    Descriptor fd(socket(place.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    // Accepted connections inherit TCP_NODELAY: a response's last segment must not wait for an
    // acknowledgement.
    if (!fd.valid() || setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0 ||
        setsockopt(fd.get(), SOL_SOCKET, SO_REUSEPORT, &on, sizeof on) != 0 ||
        setsockopt(fd.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) != 0 ||
        bind(fd.get(), general(place), size) != 0 || listen(fd.get(), backlog) != 0)
      return fail(error_of(step, errno));
    socklen_t got = sizeof place;
    if (getsockname(fd.get(), general(place), &got) != 0) return fail(error_of(step, errno));
    out.port = ntohs(place.ss_family == AF_INET6 ? reinterpret_cast<const sockaddr_in6&>(place).sin6_port
                                                 : reinterpret_cast<const sockaddr_in&>(place).sin_port);
    out.sockets.push_back(std::move(fd));
  }
  return out;
}

}  // namespace vtax::http
