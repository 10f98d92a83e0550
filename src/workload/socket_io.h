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
                                std::string_view step);
[[nodiscard]] Result<> receive_all(int fd, std::span<std::byte> buffer, const Watchdog& watchdog,
                                   std::string_view step);

// One receive: 1 to buffer.size() bytes; 0 is an error too (closed).
[[nodiscard]] Result<std::size_t> receive_some(int fd, std::span<std::byte> buffer, const Watchdog& watchdog,
                                               std::string_view step);

// Fails if the peer has sent something that nobody asked for.
[[nodiscard]] Result<> expect_silence(int fd, std::string_view step);

}  // namespace vtax
