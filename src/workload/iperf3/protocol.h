#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "core/result.h"

// iperf3's protocol as versions 3.12 to 3.18 speak it. One TCP connection controls a test: the client shows a
// cookie, then single bytes (states) and JSON texts, each after its length, go both ways. The data take
// connections (or datagram sockets) of their own to the same port. Nothing is encrypted and nobody has to
// prove who he is.
namespace vtax::iperf3 {

inline constexpr std::uint16_t kDefaultPort = 5201;

// What one side says on the control connection, as a signed byte.
enum class State : std::int8_t {
  test_start = 1,
  test_running = 2,
  test_end = 4,
  param_exchange = 9,
  create_streams = 10,
  server_terminate = 11,
  client_terminate = 12,
  exchange_results = 13,
  display_results = 14,
  done = 16,
  access_denied = -1,
  server_error = -2,  // followed by two numbers, 32 bits, big endian: iperf3's error and the system's
};

[[nodiscard]] constexpr std::byte on_wire(State state) {
  return static_cast<std::byte>(static_cast<std::uint8_t>(state));
}

// Numbers of iperf3's errors that a server of ours sends, so that a stock client can say what is wrong.
enum class ErrorNumber : std::int32_t {
  too_long = 5,
  too_many_streams = 6,
  bad_block_size = 7,
  bad_window = 8,
  not_implemented = 13,
  total_rate = 27,
  bad_parameters = 114,
  bad_results = 117,
  stream_listen = 202,
};

// In the words of iperf3's manual; empty for what we do not know.
[[nodiscard]] std::string_view meaning(std::int32_t error);

// 36 characters of base 32 and a zero byte: which test a connection belongs to.
using Cookie = std::array<char, 37>;
[[nodiscard]] Result<Cookie> make_cookie();
// Printable, and a zero at the end.
[[nodiscard]] bool plausible(const Cookie& cookie);

inline constexpr int kMostParallel = 128;
inline constexpr std::uint64_t kMostJsonBytes = 1 << 20;
inline constexpr std::uint64_t kMostBlockBytes = 1 << 20;
inline constexpr std::uint64_t kMostDatagramPayload = 65507;
inline constexpr std::uint64_t kMostBytes = 1ULL << 50;
inline constexpr std::chrono::seconds kMostDuration{86400};

// The streams of a test are numbered 1, 3, 4, 5, ...; there has never been a 2.
[[nodiscard]] constexpr int stream_id(std::size_t index) {
  return index == 0 ? 1 : static_cast<int>(index) + 2;
}

// The first 12 or 16 bytes of a datagram, big endian: when it was sent, by any clock, and its number from 1
// on. Both sides use 16 (64 bits for the number) if the client asks for that.
struct DatagramStamp {
  std::int64_t sent_ns = 0;  // microseconds on the wire
  std::uint64_t number = 0;
};
[[nodiscard]] constexpr std::size_t stamp_bytes(bool wide) {
  return wide ? 16 : 12;
}
void write_stamp(const DatagramStamp& stamp, bool wide, std::byte* into);
[[nodiscard]] DatagramStamp read_stamp(const std::byte* from, bool wide);

}  // namespace vtax::iperf3
