#pragma once

#include <sys/socket.h>

#include <cstddef>
#include <span>
#include <string_view>

#include "core/result.h"
#include "workload/measure/watchdog.h"

namespace vtax {

// Whole-buffer transfers on a blocking stream socket. `step` says in an error what was attempted. Errors: the
// peer closed the connection (with the count so far), the watchdog's time is over, or the system's own.
// What nearly always happens, one call that moves all, is inline: a generator's own cost is part of what is
// measured.
[[nodiscard]] Result<> send_rest(int fd, std::span<const std::byte> data, ssize_t sent,
                                 const Watchdog& watchdog, std::string_view step, int flags);
[[nodiscard]] inline Result<> send_all(int fd, std::span<const std::byte> data, const Watchdog& watchdog,
                                       std::string_view step, int flags = 0) {
  if (data.empty()) return {};
  const ssize_t sent = send(fd, data.data(), data.size(), MSG_NOSIGNAL | flags);
  if (sent == static_cast<ssize_t>(data.size()) && !watchdog.expired()) [[likely]]
    return {};
  return send_rest(fd, data, sent, watchdog, step, flags);
}
[[nodiscard]] Result<> receive_all(int fd, std::span<std::byte> buffer, const Watchdog& watchdog,
                                   std::string_view step);

// One receive: 1 to buffer.size() bytes, or 0 where the other side has closed its half.
[[nodiscard]] Result<std::size_t> receive_again(int fd, std::span<std::byte> buffer, ssize_t received,
                                                const Watchdog& watchdog, std::string_view step, int flags);
[[nodiscard]] inline Result<std::size_t> receive_some_or_end(int fd, std::span<std::byte> buffer,
                                                             const Watchdog& watchdog, std::string_view step,
                                                             int flags = 0) {
  const ssize_t received = recv(fd, buffer.data(), buffer.size(), flags);
  if (received >= 0 && !watchdog.expired()) [[likely]]
    return static_cast<std::size_t>(received);
  return receive_again(fd, buffer, received, watchdog, step, flags);
}
// The system's error of this step, as a trial's failure; errno says which.
[[nodiscard]] Error failed_step(std::string_view step);
[[nodiscard]] Error closed(std::string_view step);
// One receive: 1 to buffer.size() bytes; the end is an error.
[[nodiscard]] Result<std::size_t> receive_some(int fd, std::span<std::byte> buffer, const Watchdog& watchdog,
                                               std::string_view step);

// Fails if the peer has sent something that nobody asked for.
[[nodiscard]] Result<> expect_silence(int fd, std::string_view step);

}  // namespace vtax
