#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "core/json_fields.h"
#include "core/result.h"

namespace vtax {

// A fixed number of requests to a web server, so that instructions can be compared: what studies name. Server
// and client are those of `vtax workload http-server` and `http`.
struct HttpWork {
  std::uint64_t requests = 0;
  std::uint64_t connections = 1;              // at once
  std::uint64_t requests_per_connection = 1;  // then another one takes its place
  std::uint64_t file_bytes = 0;               // the one file that is asked for
  bool file_set = false;                      // in its place: SPECweb99's files, by their popularity
  std::uint64_t connections_per_second =
      0;  // when they are due, whatever the server does; 0: as fast as it goes

  static constexpr std::uint64_t kMostRequests = 1'000'000, kMostConnections = 128,
                                 kMostPerConnection = 10'000, kMostFileBytes = 16 << 20, kMostRate = 100'000;
  // Of the set's 61 directories: all have the same sizes, so that a request's mean of 14.4 KB stays, and a
  // guest of the lab has the memory.
  static constexpr std::uint32_t kSetDirectories = 4;

  [[nodiscard]] nlohmann::json to_json() const;
  [[nodiscard]] static Result<HttpWork> from(const JsonFields& fields);
};

// Orders of either end besides the workload's own; no value where the order is none of these.
//   {"do": "http-serve", "work": HttpWork, "ipv4", "port"} -> {"state": "done"}, once it listens. One at a
//   time.
//   {"do": "http-ask", "work": HttpWork, "ipv4", "port", "window", "lead_ns", "trail_ns", "limit_ns"}:
//   sleeps,
//     asks (with `window` between the lab's markers), sleeps -> {"state": "done", "side": SideReport}
//   {"do": "http-cpu"} -> {"state": "done", "user_ns"} of the server's process so far
//   {"do": "http-end"} -> {"state": "done", "side": SideReport} of the server
[[nodiscard]] std::optional<Result<nlohmann::json>> obey_http(const std::string& order,
                                                              const JsonFields& fields);

}  // namespace vtax
