#pragma once

#include <chrono>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>

#include "core/json_fields.h"
#include "core/result.h"
#include "workload/iperf3/protocol.h"

namespace vtax::iperf3 {

// What is to be done: what the client tells the server when it has been let in.
struct Parameters {
  bool udp = false;
  // At most one of the three: a time, payload in each direction, or the same in blocks. All zero: until the
  // client ends it.
  std::chrono::seconds time{};
  std::uint64_t bytes = 0, blocks = 0;
  std::chrono::seconds omit{};  // comes before, and is left out of the figures

  int parallel = 1;  // streams each way
  bool reverse = false, bidirectional = false;
  std::uint64_t block_bytes = 128 * 1024;  // of a write or a datagram
  std::uint64_t bits_per_second = 0;       // of each stream; 0: as fast as it goes
  std::uint64_t window_bytes = 0;          // SO_SNDBUF and SO_RCVBUF; 0: the system's own
  std::uint64_t segment_bytes = 0;         // TCP_MAXSEG; 0: the path's
  std::uint64_t type_of_service = 0;
  std::uint64_t pacing_bits_per_second = 0;  // SO_MAX_PACING_RATE; 0: none
  bool no_delay = false, zero_copy = false;
  bool wide_counters = false;  // UDP
  bool server_output = false;  // the client wants the server's report
  std::string congestion;      // empty: the system's own
  std::string client_version;

  // Streams of the whole test, and whether the client sends on one of them: those come first.
  [[nodiscard]] std::size_t streams() const {
    return static_cast<std::size_t>(parallel) * (bidirectional ? 2 : 1);
  }
  [[nodiscard]] bool client_sends(std::size_t stream) const {
    return bidirectional ? stream < static_cast<std::size_t>(parallel) : !reverse;
  }
  // Payload in each direction of a fixed amount; 0 for none.
  [[nodiscard]] std::uint64_t amount() const { return blocks != 0 ? blocks * block_bytes : bytes; }

  [[nodiscard]] nlohmann::json to_json() const;
  // A stranger's: every number within the protocol's limits, sizes that make sense together.
  [[nodiscard]] static Result<Parameters> from(const JsonFields& fields);
  [[nodiscard]] Result<> check() const;
};

}  // namespace vtax::iperf3
