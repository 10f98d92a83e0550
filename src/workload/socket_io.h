#pragma once

#include <cstddef>
#include <span>
#include <string_view>

#include "core/result.h"
#include "workload/watchdog.h"

namespace vtax {

// Whole-buffer transfers on a blocking stream socket. `step` says in an error what was attempted. Errors: the
// peer closed the connection (with the count so far), the watchdog's time is over, or the system's own.
[[nodiscard]] Result<> send_all(int fd, std::span<const std::byte> data, const Watchdog& watchdog,
                                std::string_view step, int flags = 0);
[[nodiscard]] Result<> receive_all(int fd, std::span<std::byte> buffer, const Watchdog& watchdog,
                                   std::string_view step);

// One receive: 1 to buffer.size() bytes, or 0 where the other side has closed its half.
[[nodiscard]] Result<std::size_t> receive_some_or_end(int fd, std::span<std::byte> buffer,
                                                      const Watchdog& watchdog, std::string_view step,
                                                      int flags = 0);
// The system's error of this step, as a trial's failure; errno says which.
[[nodiscard]] Error failed_step(std::string_view step);
[[nodiscard]] Error closed(std::string_view step);
// One receive: 1 to buffer.size() bytes; the end is an error.
[[nodiscard]] Result<std::size_t> receive_some(int fd, std::span<std::byte> buffer, const Watchdog& watchdog,
                                               std::string_view step);

// Fails if the peer has sent something that nobody asked for.
[[nodiscard]] Result<> expect_silence(int fd, std::string_view step);

}  // namespace vtax
