#include "workload/traffic/socket_io.h"

#include <fmt/format.h>
#include <sys/socket.h>

#include <cerrno>
#include <string>

namespace vtax {
namespace {

// What a failed call means: nothing yet (go on), or an error.
Result<> judge(const Watchdog& watchdog, std::string_view step) {
  if (errno != EINTR) return fail(failed_step(step));
  if (watchdog.expired()) return fail(watchdog.timeout(std::string(step)));
  return {};
}

}  // namespace

Result<> send_rest(int fd, std::span<const std::byte> data, ssize_t sent, const Watchdog& watchdog,
                   std::string_view step, int flags) {
  while (true) {
    if (sent > 0 && !watchdog.expired()) {
      data = data.subspan(static_cast<std::size_t>(sent));
    } else if (sent > 0) {
      return fail(watchdog.timeout(std::string(step)));
    } else if (Result<> go_on = judge(watchdog, step); !go_on) {
      return go_on;
    }
    if (data.empty()) return {};
    sent = send(fd, data.data(), data.size(), MSG_NOSIGNAL | flags);
  }
}

Result<std::size_t> receive_again(int fd, std::span<std::byte> buffer, ssize_t received,
                                  const Watchdog& watchdog, std::string_view step, int flags) {
  while (true) {
    if (received >= 0 && watchdog.expired()) return fail(watchdog.timeout(std::string(step)));
    if (received >= 0) return static_cast<std::size_t>(received);
    if (Result<> go_on = judge(watchdog, step); !go_on) return fail(go_on.error());
    received = recv(fd, buffer.data(), buffer.size(), flags);
  }
}

Error failed_step(std::string_view step) {
  Error error = system_error(std::string(step), errno);
  error.code = ExitCode::trial_failed;
  return error;
}

Error closed(std::string_view step) {
  return Error{std::string(step), "the other side closed the connection", "", ExitCode::trial_failed};
}

Result<std::size_t> receive_some(int fd, std::span<std::byte> buffer, const Watchdog& watchdog,
                                 std::string_view step) {
  Result<std::size_t> some = receive_some_or_end(fd, buffer, watchdog, step);
  if (some && *some == 0) return fail(closed(step));
  return some;
}

Result<> receive_all(int fd, std::span<std::byte> buffer, const Watchdog& watchdog, std::string_view step) {
  std::size_t done = 0;
  while (done < buffer.size()) {
    const Result<std::size_t> some = receive_some(fd, buffer.subspan(done), watchdog, step);
    if (!some) {
      Error error = some.error();
      error.why += fmt::format(" (after {} of {} bytes)", done, buffer.size());
      return fail(std::move(error));
    }
    done += *some;
  }
  return {};
}

Result<> expect_silence(int fd, std::string_view step) {
  std::byte extra{};
  const ssize_t received = recv(fd, &extra, 1, MSG_DONTWAIT | MSG_PEEK);
  if (received < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return {};
  if (received > 0) {
    return fail(Error{std::string(step), "the other side sent more than agreed", "", ExitCode::trial_failed});
  }
  if (received == 0) {
    return fail(closed(step));
  }
  return fail(system_error(std::string(step), errno));
}

}  // namespace vtax
