#pragma once

#include <chrono>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "core/json_fields.h"
#include "core/result.h"
#include "core/units.h"

namespace vtax {

enum class WorkKind { tcp_stream, udp_stream, tcp_rr, udp_rr, tcp_crr };

[[nodiscard]] std::string_view name(WorkKind kind);  // "tcp-stream", "udp-rr"
[[nodiscard]] Result<WorkKind> work_kind(const JsonFields& fields, const char* key);
// Payload in one direction, as against request and response.
[[nodiscard]] bool is_stream(WorkKind kind);
[[nodiscard]] bool is_udp(WorkKind kind);

// Who sends the payload of a stream, seen from the initiator. `both`: half of the flows each way.
enum class Direction { send, receive, both };
enum class Copy { user, sendfile, zero_copy };  // write(2); sendfile(2) from memory; MSG_ZEROCOPY
// How a set rate is kept: sleep until each message is due, and catch up where the sleep was too long; wait
// actively for the time (exact, takes the whole CPU); or the dissertation's way, a calibrated empty loop
// after each message.
enum class Pacing { sleep, spin, loop };

struct SocketSettings {
  std::uint64_t send_buffer = 0, receive_buffer = 0;  // bytes as for SO_SNDBUF; 0: the system's own
  std::uint64_t segment_bytes = 0;                    // TCP_MAXSEG; 0: the path's
  std::string congestion = "cubic";                   // empty: the system's own
  bool no_delay = true;
  bool operator==(const SocketSettings&) const = default;

  void write(nlohmann::json& out) const;
  [[nodiscard]] static Result<SocketSettings> from(const JsonFields& fields);
};

// An amount of work for a connected pair: the initiator asks, the responder answers.
struct Order {
  WorkKind kind = WorkKind::tcp_stream;
  // Exactly one of the three amounts is set, for the whole pair: payload of a stream; exchanges; a time.
  Bytes bytes;
  Transactions transactions;
  std::chrono::nanoseconds duration{};
  std::chrono::nanoseconds warmup{};  // with a duration: comes before it, and is left out of the figures

  std::uint64_t write_bytes = 0;     // streams: size of each write or datagram; the last may be shorter
  std::uint64_t request_bytes = 0;   // exchanges: initiator to responder
  std::uint64_t response_bytes = 0;  // exchanges: responder to initiator
  int flows = 1;                     // connections at once, each with a thread of its own
  Direction direction = Direction::send;
  int in_flight = 1;                  // exchanges on a flow that are under way at once
  std::uint64_t bits_per_second = 0;  // streams: payload of each flow; 0: as fast as it goes
  Pacing pacing = Pacing::sleep;
  Copy copy = Copy::user;
  bool batch = false;     // UDP: one system call for many datagrams (UDP_SEGMENT, UDP_GRO)
  bool separate = false;  // TCP: each write is a segment of its own (MSG_EOR)
  bool discard = false;   // TCP receiver: drop the payload in the kernel, without copying it (MSG_TRUNC)
  // TCP receiver as fast as it goes: sleep until so much waits (SO_RCVLOWAT); 0: until anything does.
  // Cheaper, but not what most programs do, so studies leave it at 0.
  std::uint64_t gather_bytes = 0;
  bool latency = false;                 // record each exchange's duration, each departure of a paced stream
  std::chrono::nanoseconds interval{};  // report what was done in each; 0: no
  std::chrono::nanoseconds patience{};  // udp-rr: an answer that takes longer is lost; 0: wait for ever
  SocketSettings sockets;

  static constexpr std::uint64_t kMostBytes = 1ULL << 40;
  static constexpr std::uint64_t kMostTransactions = 1ULL << 32;
  static constexpr std::uint64_t kMostMessageBytes = 1 << 20;
  static constexpr std::uint64_t kMostWriteBytes = 64 << 20;  // of tcp-stream
  static constexpr std::uint64_t kMostDatagramBytes = 65507;
  static constexpr std::uint64_t kLeastDatagramBytes = 16;  // its header
  static constexpr int kMostFlows = 128, kMostInFlight = 1024;
  static constexpr std::chrono::hours kMostDuration{24};
  static constexpr std::uint64_t kMostIntervals = 2000;

  [[nodiscard]] nlohmann::json to_json() const;
  // Everything that the kind, the amount and the limits above demand; errors name the key.
  [[nodiscard]] static Result<Order> from(const JsonFields& fields);
  [[nodiscard]] Result<> check() const;
};

// What was really done, counted by one side: payload in both directions, and whole transactions.
struct Done {
  Bytes bytes;
  Transactions transactions;
  auto operator<=>(const Done&) const = default;
};

// What the order means when it is fulfilled; of no use for a duration.
[[nodiscard]] Done expected(const Order& order);

}  // namespace vtax
