#include "workload/traffic/flow_setup.h"

#include <fmt/format.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "workload/traffic/socket_io.h"

namespace vtax {
namespace {

constexpr std::array<std::uint8_t, 8> kGreeting{'v', 't', 'a', 'x', 'f', 'l', 'o', 'w'};
constexpr std::chrono::seconds kHelloPatience{2};  // of the responder with a connection that says nothing
constexpr int kHelloTries = 50;                    // datagrams, 100 ms apart

struct Hello {
  std::array<std::uint8_t, 8> greeting;
  FlowToken token;
  std::uint32_t flow;
  std::uint32_t datagrams;
};
static_assert(sizeof(Hello) == 32);

struct Answer {
  std::uint32_t port;  // of the responder's datagram socket; 0 where there is none
};

template <class T>
std::span<const std::byte> bytes_of(const T& value) {
  return std::as_bytes(std::span(&value, 1));
}
template <class T>
std::span<std::byte> room_of(T& value) {
  return std::as_writable_bytes(std::span(&value, 1));
}

bool readable_within(int fd, std::chrono::milliseconds limit) {
  pollfd waiting{fd, POLLIN, 0};
  return poll(&waiting, 1, static_cast<int>(limit.count())) == 1;
}

// The whole hello, or nothing: who dawdles, talks nonsense or has another token is not ours.
bool read_hello(int fd, const FlowSetup& setup, Hello& hello) {
  std::size_t done = 0;
  const auto end = std::chrono::steady_clock::now() + kHelloPatience;
  while (done < sizeof hello) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(end - std::chrono::steady_clock::now());
    if (left.count() <= 0 || !readable_within(fd, left)) return false;
    const ssize_t some = recv(fd, room_of(hello).data() + done, sizeof hello - done, 0);
    if (some < 0 && errno == EINTR) continue;
    if (some <= 0) return false;
    done += static_cast<std::size_t>(some);
  }
  int difference = 0;  // without an early end: time tells nothing of the token
  for (std::size_t i = 0; i < setup.token.size(); ++i) difference |= hello.token[i] ^ setup.token[i];
  return hello.greeting == kGreeting && difference == 0 &&
         hello.flow < static_cast<std::uint32_t>(setup.flows) &&
         hello.datagrams == static_cast<std::uint32_t>(setup.datagrams);
}

Result<> apply_buffers(int fd, const SocketSettings& sockets) {
  for (const auto& [option, bytes] :
       {std::pair{SO_SNDBUF, sockets.send_buffer}, std::pair{SO_RCVBUF, sockets.receive_buffer}}) {
    const int value = static_cast<int>(bytes);
    if (bytes != 0 && setsockopt(fd, SOL_SOCKET, option, &value, sizeof value) != 0)
      return fail(failed_step("set a socket's buffer"));
  }
  return {};
}

Result<Descriptor> datagram_socket(const NetAddress& at, const SocketSettings& sockets) {
  const std::string step = "open a datagram socket";
  Descriptor fd(socket(at.family(), SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (!fd.valid()) return fail(failed_step(step));
  if (Result<> set = apply_buffers(fd.get(), sockets); !set) return fail(set.error());
  if (bind(fd.get(), at.get(), at.size()) != 0) return fail(failed_step(step));
  return fd;
}

// The responder's side of one flow's datagram sockets: whoever sends the hello with the token is the partner.
Result<> accept_datagrams(Flow& flow, const Hello& expected_hello, std::uint16_t port, const FlowSetup& setup,
                          const Watchdog& watchdog) {
  NetAddress at = NetAddress::of_socket(flow.stream.get());
  at.set_port(port);
  Result<Descriptor> fd = datagram_socket(at, setup.sockets);
  if (!fd) return fail(fd.error());
  const Answer answer{NetAddress::of_socket(fd->get()).port()};
  if (Result<> sent = send_all(flow.stream.get(), bytes_of(answer), watchdog, "agree on datagrams"); !sent)
    return sent;
  while (true) {
    if (watchdog.expired()) return fail(watchdog.timeout("wait for the first datagram"));
    if (!readable_within(fd->get(), std::chrono::milliseconds(200))) continue;
    Hello hello{};
    sockaddr_storage from{};
    socklen_t size = sizeof from;
    auto* const sender = reinterpret_cast<sockaddr*>(&from);
    const ssize_t got = recvfrom(fd->get(), &hello, sizeof hello, 0, sender, &size);
    if (got != static_cast<ssize_t>(sizeof hello) || std::memcmp(&hello, &expected_hello, sizeof hello) != 0)
      continue;
    if (connect(fd->get(), sender, size) != 0) return fail(failed_step("connect a datagram socket"));
    break;
  }
  flow.datagrams = std::move(*fd);
  const std::byte ready{1};
  return send_all(flow.stream.get(), {&ready, 1}, watchdog, "agree on datagrams");
}

Result<> connect_datagrams(Flow& flow, const Hello& hello, std::uint16_t source_port, const TcpAddress& to,
                           std::uint32_t port, const FlowSetup& setup, const Watchdog& watchdog) {
  NetAddress at = NetAddress::of_socket(flow.stream.get());
  at.set_port(source_port);
  Result<Descriptor> fd = datagram_socket(at, setup.sockets);
  if (!fd) return fail(fd.error());
  const Result<NetAddress> partner = socket_address({to.host, static_cast<std::uint16_t>(port)});
  if (!partner) return fail(partner.error());
  if (connect(fd->get(), partner->get(), partner->size()) != 0)
    return fail(failed_step("connect a datagram socket"));
  for (int i = 0; i < kHelloTries && !watchdog.expired(); ++i) {
    static_cast<void>(
        send(fd->get(), &hello, sizeof hello, 0));  // ECONNREFUSED comes before the partner listens
    if (!readable_within(flow.stream.get(), std::chrono::milliseconds(100))) continue;
    std::byte ready{};
    if (Result<> got = receive_all(flow.stream.get(), {&ready, 1}, watchdog, "agree on datagrams"); !got)
      return got;
    flow.datagrams = std::move(*fd);
    return {};
  }
  return fail(Error{"agree on datagrams", "no datagram reaches the other side, though a connection does",
                    "is UDP filtered between the two?", ExitCode::trial_failed});
}

std::uint16_t after(std::uint16_t first, int index) {
  return first == 0 ? std::uint16_t{0} : static_cast<std::uint16_t>(first + index);
}

}  // namespace

std::string to_text(const FlowToken& token) {
  std::string out;
  for (const std::uint8_t byte : token) out += fmt::format("{:02x}", byte);
  return out;
}

Result<FlowToken> flow_token(const JsonFields& fields, const char* key) {
  const auto text = fields.text(key, 32);
  if (!text) return fail(text.error());
  FlowToken token{};
  const auto digit = [](char c) {
    if (c >= '0' && c <= '9') return c - '0';
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
  };
  if (text->size() != 32) return fail(fields.bad(fmt::format("'{}' is not 32 hexadecimal digits", key)));
  for (std::size_t i = 0; i < token.size(); ++i) {
    const int high = digit((*text)[2 * i]), low = digit((*text)[2 * i + 1]);
    if (high < 0 || low < 0) return fail(fields.bad(fmt::format("'{}' is not 32 hexadecimal digits", key)));
    token[i] = static_cast<std::uint8_t>(high * 16 + low);
  }
  return token;
}

Result<std::vector<Flow>> connect_flows(const TcpAddress& to, std::uint16_t source_port,
                                        const FlowSetup& setup, const Watchdog& watchdog) {
  std::vector<Flow> flows(static_cast<std::size_t>(setup.flows));
  for (std::size_t i = 0; i < flows.size(); ++i) {
    const int index = static_cast<int>(i);
    Result<Descriptor> stream = tcp_connect(to, after(source_port, index), setup.sockets, watchdog);
    if (!stream) return fail(stream.error());
    flows[i].stream = std::move(*stream);
    const Hello hello{kGreeting, setup.token, static_cast<std::uint32_t>(i), setup.datagrams};
    const int fd = flows[i].stream.get();
    Answer answer{};
    Result<> step = send_all(fd, bytes_of(hello), watchdog, "open a flow");
    if (step) step = receive_all(fd, room_of(answer), watchdog, "open a flow");
    if (step && setup.datagrams)
      step = connect_datagrams(flows[i], hello, after(source_port, index), to, answer.port, setup, watchdog);
    if (!step) return fail(step.error());
  }
  return flows;
}

Result<std::vector<Flow>> accept_flows(int listener, bool fixed_ports, const FlowSetup& setup,
                                       const Watchdog& watchdog) {
  std::vector<Flow> flows(static_cast<std::size_t>(setup.flows));
  const std::uint16_t own_port = NetAddress::of_socket(listener).port();
  for (int taken = 0; taken < setup.flows;) {
    Result<Descriptor> stream = tcp_accept(listener, watchdog);
    if (!stream) return fail(stream.error());
    Hello hello{};
    if (!read_hello(stream->get(), setup, hello) || flows[hello.flow].stream.valid()) continue;
    Flow& flow = flows[hello.flow];
    flow.stream = std::move(*stream);
    ++taken;
    Result<> step;
    if (setup.datagrams) {
      const auto port = fixed_ports ? after(own_port, 1 + static_cast<int>(hello.flow)) : std::uint16_t{0};
      step = accept_datagrams(flow, hello, port, setup, watchdog);
    } else {
      step = send_all(flow.stream.get(), bytes_of(Answer{0}), watchdog, "open a flow");
    }
    if (!step) return fail(step.error());
  }
  return flows;
}

}  // namespace vtax
