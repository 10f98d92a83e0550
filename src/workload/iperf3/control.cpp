#include "workload/iperf3/control.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <linux/tcp.h>
#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>

#include "core/interruption.h"

namespace vtax::iperf3 {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::chrono::seconds kSendPatience{5};

// Whether `fd` is ready for `events` before `end`.
Result<bool> ready_before(int fd, short events, Clock::time_point end, bool interruptible) {
  while (true) {
    if (interruptible && interrupted()) return fail(Error{"interrupted", "", "", ExitCode::interrupted});
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(end - Clock::now());
    if (left.count() <= 0) return false;
    std::array<pollfd, 2> waiting{{{fd, events, 0}, {interruptible ? interruption_fd() : -1, POLLIN, 0}}};
    const int count = poll(waiting.data(), waiting.size(), static_cast<int>(left.count()));
    if (count > 0 && waiting[0].revents != 0) return true;
  }
}

}  // namespace

Control::Control(Descriptor connection, std::string peer)
    : connection_(std::move(connection)), peer_(std::move(peer)) {
  const int on = 1;
  setsockopt(fd(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

Error Control::error(std::string why, std::string next) const {
  return {"talk iperf3's protocol with " + peer_, std::move(why), std::move(next), ExitCode::trial_failed};
}

Result<> Control::send_bytes(std::span<const std::byte> data) const {
  const auto end = Clock::now() + kSendPatience;
  while (!data.empty()) {
    const ssize_t sent = ::send(fd(), data.data(), data.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent > 0) {
      data = data.subspan(static_cast<std::size_t>(sent));
    } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
      const auto ready = ready_before(fd(), POLLOUT, end, interruptible_);
      if (!ready) return fail(ready.error());
      if (!*ready) return fail(error("it takes no more messages"));
    } else if (errno != EINTR) {
      return fail(error(system_error("", errno).why));
    }
  }
  return {};
}

Result<> Control::receive_bytes(std::span<std::byte> data, Patience patience) const {
  const auto end = Clock::now() + patience;
  while (!data.empty()) {
    const ssize_t got = recv(fd(), data.data(), data.size(), MSG_DONTWAIT);
    if (got > 0) {
      data = data.subspan(static_cast<std::size_t>(got));
    } else if (got == 0) {
      return fail(error("it closed the connection"));
    } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
      const auto ready = ready_before(fd(), POLLIN, end, interruptible_);
      if (!ready) return fail(ready.error());
      if (!*ready)
        return fail(
            error(fmt::format("it said nothing for {} s", static_cast<double>(patience.count()) / 1000)));
    } else if (errno != EINTR) {
      return fail(error(system_error("", errno).why));
    }
  }
  return {};
}

Result<> Control::send(State state) const {
  const std::byte byte = on_wire(state);
  return send_bytes({&byte, 1});
}

Result<> Control::send(const Cookie& cookie) const {
  return send_bytes(std::as_bytes(std::span(cookie)));
}

Result<> Control::send(const nlohmann::json& json) const {
  const std::string text = json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  const std::uint32_t size = htonl(static_cast<std::uint32_t>(text.size()));
  if (Result<> sent = send_bytes(std::as_bytes(std::span(&size, 1))); !sent) return sent;
  return send_bytes(std::as_bytes(std::span(text)));
}

Result<> Control::send_error(ErrorNumber number, int system_error) const {
  if (Result<> sent = send(State::server_error); !sent) return sent;
  const std::array<std::uint32_t, 2> numbers{htonl(static_cast<std::uint32_t>(number)),
                                             htonl(static_cast<std::uint32_t>(system_error))};
  return send_bytes(std::as_bytes(std::span(numbers)));
}

Result<State> Control::receive_state(Patience patience) const {
  std::byte byte{};
  if (Result<> got = receive_bytes({&byte, 1}, patience); !got) return fail(got.error());
  const auto state = static_cast<State>(byte);
  switch (state) {
    case State::test_start:
    case State::test_running:
    case State::test_end:
    case State::param_exchange:
    case State::create_streams:
    case State::exchange_results:
    case State::display_results:
    case State::done:
      return state;
    case State::client_terminate:
    case State::server_terminate:
      return fail(error("it was stopped and ended the test"));
    case State::access_denied:
      return fail(error("it is busy with another test", "try again when that is over"));
    case State::server_error: {
      std::array<std::uint32_t, 2> numbers{};
      if (Result<> got = receive_bytes(std::as_writable_bytes(std::span(numbers)), patience); !got)
        return fail(error("it reports an error, and does not say which"));
      const auto number = static_cast<std::int32_t>(ntohl(numbers[0]));
      const std::string_view text = meaning(number);
      return fail(error(text.empty() ? fmt::format("it reports its error {}", number) : std::string(text)));
    }
  }
  return fail(error(fmt::format("it sent {}, which is no state", static_cast<int>(byte)),
                    "is this port an iperf3 server's?"));
}

Result<> Control::expect(State state, Patience patience) const {
  const Result<State> got = receive_state(patience);
  if (!got) return fail(got.error());
  if (*got == state) return {};
  return fail(error(
      fmt::format("it is in state {} where {} was due", static_cast<int>(*got), static_cast<int>(state))));
}

Result<JsonFields> Control::receive_json(const std::string& what, Patience patience) const {
  std::uint32_t size = 0;
  if (Result<> got = receive_bytes(std::as_writable_bytes(std::span(&size, 1)), patience); !got)
    return fail(got.error());
  size = ntohl(size);
  if (size > kMostJsonBytes) return fail(error(fmt::format("it announces {} bytes of JSON", size)));
  std::string text(size, '\0');
  if (Result<> got = receive_bytes(std::as_writable_bytes(std::span(text)), patience); !got)
    return fail(got.error());
  return JsonFields::parse(what, text);
}

}  // namespace vtax::iperf3
