#include "workload/iperf3/streams.h"

#include <fmt/format.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "core/interruption.h"
#include "core/readable.h"
#include "workload/traffic/socket_io.h"

namespace vtax::iperf3 {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::chrono::seconds kConnectPatience{10};
constexpr std::chrono::seconds kCookiePatience{2};

// The datagram that opens a stream and its answer, in the sender's byte order; the values before version 3.7
// too.
constexpr std::array<std::uint32_t, 2> kHellos{0x36373839, 123456789};
constexpr std::array<std::uint32_t, 2> kAnswers{0x39383736, 987654321};

bool is_one_of(const std::array<std::uint32_t, 2>& known, std::uint32_t word) {
  return std::any_of(known.begin(), known.end(),
                     [&](std::uint32_t one) { return word == one || word == __builtin_bswap32(one); });
}

bool set_option(int fd, int level, int option, std::uint64_t value) {
  const int number = static_cast<int>(value);
  return setsockopt(fd, level, option, &number, sizeof number) == 0;
}

// What TCP and UDP sockets have in common, on both sides.
Result<> apply_to_socket(int fd, const Parameters& test) {
  bool good = true;
  if (test.window_bytes != 0)
    good = set_option(fd, SOL_SOCKET, SO_SNDBUF, test.window_bytes) &&
           set_option(fd, SOL_SOCKET, SO_RCVBUF, test.window_bytes);
  if (test.type_of_service != 0)
    good = good && (NetAddress::of_socket(fd).family() == AF_INET6
                        ? set_option(fd, IPPROTO_IPV6, IPV6_TCLASS, test.type_of_service)
                        : set_option(fd, IPPROTO_IP, IP_TOS, test.type_of_service));
  if (test.pacing_bits_per_second != 0) {
    const std::uint64_t rate = test.pacing_bits_per_second / 8;
    good = good && setsockopt(fd, SOL_SOCKET, SO_MAX_PACING_RATE, &rate, sizeof rate) == 0;
  }
  if (!good) return fail(failed_step("set a stream's socket as the test asks"));
  return {};
}

bool read_cookie(int fd, Cookie& cookie) {
  const auto end = Clock::now() + kCookiePatience;
  for (std::size_t done = 0; done < cookie.size();) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(end - Clock::now());
    pollfd waiting{fd, POLLIN, 0};
    if (left.count() <= 0 || interrupted()) return false;
    if (poll(&waiting, 1, static_cast<int>(left.count())) != 1) continue;
    const ssize_t some = recv(fd, cookie.data() + done, cookie.size() - done, MSG_DONTWAIT);
    if (some < 0 && (errno == EINTR || errno == EAGAIN)) continue;
    if (some <= 0) return false;
    done += static_cast<std::size_t>(some);
  }
  return true;
}

void deny(int fd) {
  const std::byte word = on_wire(State::access_denied);
  static_cast<void>(send(fd, &word, 1, MSG_NOSIGNAL | MSG_DONTWAIT));
}

Result<Descriptor> connect_datagram_stream(const TcpAddress& server, const Parameters& test) {
  const std::string step = "open a datagram stream to " + host_and_port(server.host, server.port);
  const auto address = socket_address(server);
  if (!address) return fail(address.error());
  Descriptor fd(socket(address->family(), SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (!fd.valid()) return fail(failed_step(step));
  if (Result<> set = apply_to_socket(fd.get(), test); !set) return fail(set.error());
  if (connect(fd.get(), address->get(), address->size()) != 0) return fail(failed_step(step));
  if (::send(fd.get(), kHellos.data(), sizeof kHellos[0], 0) < 0) return fail(failed_step(step));
  const auto end = Clock::now() + kConnectPatience;
  while (true) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(end - Clock::now());
    if (interrupted()) return fail(Error{"interrupted", "", "", ExitCode::interrupted});
    if (left.count() <= 0)
      return fail(Error{step, "no answer, though a connection is possible",
                        "is UDP filtered between the two?", ExitCode::trial_failed});
    pollfd waiting{fd.get(), POLLIN, 0};
    if (poll(&waiting, 1, static_cast<int>(left.count())) != 1) continue;
    std::uint32_t word = 0;
    const ssize_t got = recv(fd.get(), &word, sizeof word, MSG_DONTWAIT | MSG_TRUNC);
    if (got < 0 && errno != EINTR && errno != EAGAIN) return fail(failed_step(step));
    if (got == sizeof word && is_one_of(kAnswers, word)) return fd;
  }
}

Result<Descriptor> datagram_listener(const TcpAddress& at, const Parameters& test) {
  const std::string step = "wait for datagrams on " + host_and_port(at.host, at.port);
  const auto address = socket_address(at);
  if (!address) return fail(address.error());
  Descriptor fd(socket(address->family(), SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (!fd.valid() || !set_option(fd.get(), SOL_SOCKET, SO_REUSEADDR, 1)) return fail(failed_step(step));
  if (Result<> set = apply_to_socket(fd.get(), test); !set) return fail(set.error());
  if (bind(fd.get(), address->get(), address->size()) != 0) return fail(failed_step(step));
  return fd;
}

}  // namespace

Result<std::vector<Stream>> connect_streams(const TcpAddress& server, const Parameters& test,
                                            const Cookie& cookie) {
  SocketSettings sockets;
  sockets.send_buffer = sockets.receive_buffer = test.window_bytes;
  sockets.segment_bytes = test.segment_bytes;
  sockets.congestion = test.congestion;
  sockets.no_delay = test.no_delay;
  std::vector<Stream> streams(test.streams());
  for (std::size_t i = 0; i < streams.size(); ++i) {
    streams[i].id = stream_id(i);
    streams[i].sends = test.client_sends(i);
    if (test.udp) {
      auto fd = connect_datagram_stream(server, test);
      if (!fd) return fail(fd.error());
      streams[i].socket = std::move(*fd);
      continue;
    }
    const auto watchdog = Watchdog::start(kConnectPatience);
    if (!watchdog) return fail(watchdog.error());
    auto fd = tcp_connect(server, 0, sockets, *watchdog);
    if (!fd) return fail(fd.error());
    if (Result<> sent = send_all(fd->get(), std::as_bytes(std::span(cookie)), *watchdog, "open a stream");
        !sent)
      return fail(sent.error());
    streams[i].socket = std::move(*fd);
  }
  return streams;
}

Result<StreamAcceptor> StreamAcceptor::open(int listener, const TcpAddress& at, const Parameters& test) {
  StreamAcceptor out(listener, at);
  if (test.udp) {
    auto fd = datagram_listener(at, test);
    if (!fd) return fail(fd.error());
    out.datagrams_ = std::move(*fd);
  }
  return out;
}

Result<std::vector<Stream>> StreamAcceptor::accept(const Control& control, const Parameters& test,
                                                   const Cookie& cookie, std::chrono::milliseconds patience) {
  const NetAddress client = NetAddress::of_partner(control.fd());
  const auto end = Clock::now() + patience;
  std::vector<Stream> streams;
  while (streams.size() < test.streams()) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(end - Clock::now());
    if (interrupted()) return fail(Error{"interrupted", "", "", ExitCode::interrupted});
    if (left.count() <= 0)
      return fail(Error{"wait for the streams of " + control.peer(),
                        fmt::format("{} of {} came", streams.size(), test.streams()), "",
                        ExitCode::trial_failed});
    std::array<pollfd, 4> waiting{{{listener_, POLLIN, 0},
                                   {datagrams_.get(), POLLIN, 0},
                                   {control.fd(), POLLIN | POLLRDHUP, 0},
                                   {interruption_fd(), POLLIN, 0}}};
    if (poll(waiting.data(), waiting.size(), static_cast<int>(left.count())) <= 0) continue;
    if (waiting[2].revents != 0)
      return fail(Error{"wait for the streams of " + control.peer(), "it left", "", ExitCode::trial_failed});
    Result<Descriptor> fd{Descriptor()};
    if (waiting[1].revents != 0) {
      fd = take_datagrams(test, client);
    } else if (waiting[0].revents != 0) {
      if (test.udp)
        turn_away(listener_);
      else
        fd = take_connection(test, cookie, client);
    }
    if (!fd) return fail(fd.error());
    if (!fd->valid()) continue;
    const std::size_t index = streams.size();
    streams.push_back({stream_id(index), !test.client_sends(index), std::move(*fd)});
  }
  datagrams_.reset();
  return streams;
}

Result<Descriptor> StreamAcceptor::take_connection(const Parameters& test, const Cookie& cookie,
                                                   const NetAddress& client) {
  Descriptor fd(accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC));
  Cookie shown{};
  if (!fd.valid()) return Descriptor();
  if (!NetAddress::of_partner(fd.get()).same_host(client) || !read_cookie(fd.get(), shown) ||
      shown != cookie) {
    deny(fd.get());
    return Descriptor();
  }
  if (Result<> set = apply_to_socket(fd.get(), test); !set) return fail(set.error());
  if (!set_option(fd.get(), IPPROTO_TCP, TCP_NODELAY, test.no_delay ? 1 : 0))
    return fail(failed_step("set a stream's socket as the test asks"));
  if (!test.congestion.empty() &&
      setsockopt(fd.get(), IPPROTO_TCP, TCP_CONGESTION, test.congestion.data(),
                 static_cast<socklen_t>(test.congestion.size())) != 0 &&
      warnings_.empty())
    warnings_.push_back(fmt::format("Congestion control '{}' is not there; this side used its own.",
                                    printable(test.congestion)));
  return fd;
}

Result<Descriptor> StreamAcceptor::take_datagrams(const Parameters& test, const NetAddress& client) {
  std::uint32_t word = 0;
  sockaddr_storage from{};
  socklen_t size = sizeof from;
  const ssize_t got = recvfrom(datagrams_.get(), &word, sizeof word, MSG_DONTWAIT | MSG_TRUNC,
                               reinterpret_cast<sockaddr*>(&from), &size);
  const NetAddress sender = NetAddress::from(from, size);
  if (got != sizeof word || !is_one_of(kHellos, word) || !sender.same_host(client)) return Descriptor();
  if (connect(datagrams_.get(), sender.get(), sender.size()) != 0)
    return fail(failed_step("connect a datagram socket"));
  Descriptor taken = std::move(datagrams_);
  auto next = datagram_listener(at_, test);
  if (!next) return fail(next.error());
  datagrams_ = std::move(*next);
  if (::send(taken.get(), kAnswers.data(), sizeof kAnswers[0], 0) < 0)
    return fail(failed_step("answer a datagram stream"));
  return taken;
}

void turn_away(int listener) {
  const Descriptor fd(accept4(listener, nullptr, nullptr, SOCK_CLOEXEC));
  if (fd.valid()) deny(fd.get());
}

}  // namespace vtax::iperf3
