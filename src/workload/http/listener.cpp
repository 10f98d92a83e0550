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

constexpr int kBacklog = 4096;

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
Result<> probe(const NetAddress& address, const std::string& step) {
  const Descriptor fd(socket(address.family(), SOCK_STREAM | SOCK_CLOEXEC, 0));
  const int on = 1;
  if (!fd.valid() || setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0 ||
      bind(fd.get(), address.get(), address.size()) != 0 || listen(fd.get(), 1) != 0)
    return fail(error_of(step, errno));
  return {};
}

}  // namespace

Result<Listeners> listen_on(const std::string& address, std::uint16_t port, int sockets) {
  const std::string step = fmt::format("cannot listen on {} port {}", printable(address), port);
  auto place = NetAddress::parse(address, port);
  if (!place)
    return fail({step, place.error().why, "0.0.0.0 or :: for every network; " + place.error().next});
  if (port != 0)
    if (Result<> free = probe(*place, step); !free) return fail(free.error());
  Listeners out;
  const int on = 1;
  for (int i = 0; i < sockets; ++i) {
    Descriptor fd(socket(place->family(), SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    // Accepted connections inherit TCP_NODELAY: a response's last segment must not wait for an
    // acknowledgement.
    if (!fd.valid() || setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0 ||
        setsockopt(fd.get(), SOL_SOCKET, SO_REUSEPORT, &on, sizeof on) != 0 ||
        setsockopt(fd.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) != 0 ||
        bind(fd.get(), place->get(), place->size()) != 0 || listen(fd.get(), kBacklog) != 0)
      return fail(error_of(step, errno));
    *place = NetAddress::of_socket(fd.get());
    out.port = place->port();
    out.sockets.push_back(std::move(fd));
  }
  return out;
}

}  // namespace vtax::http
