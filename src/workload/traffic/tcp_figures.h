#pragma once

#include <cstdint>
#include <optional>

namespace vtax {

// What the kernel knows of a TCP connection at this moment (TCP_INFO).
struct TcpFigures {
  std::uint64_t retransmits = 0;  // segments, since the connection began
  std::uint64_t window = 0;       // congestion window, bytes
  std::uint64_t peer_window = 0;  // what the receiver last offered, bytes
  std::uint64_t round_trip_us = 0, round_trip_variation_us = 0;
  std::uint64_t path_mtu = 0;
};

[[nodiscard]] std::optional<TcpFigures> tcp_figures(int fd);
// Bytes that the other side's kernel has not confirmed yet.
[[nodiscard]] std::optional<std::uint64_t> unconfirmed_bytes(int fd);

}  // namespace vtax
