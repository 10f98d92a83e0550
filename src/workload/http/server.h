#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "core/result.h"
#include "workload/http/site.h"
#include "workload/measure/side_report.h"

namespace vtax::http {

struct ServerOptions {
  std::string address = "127.0.0.1";  // as core/net_address.h reads it
  std::uint16_t port = 0;             // 0: a free one
  int threads = 1;
  std::size_t connections = 10'000;  // at once, over all threads; more are answered 503 and closed
  // A connection that neither asks nor takes for so long is closed; also the time within which a request's
  // head must be whole.
  std::chrono::nanoseconds idle = std::chrono::seconds(60);
  std::optional<std::chrono::nanoseconds> run_for;  // else until the process is interrupted
  int stop_fd = -1;                                 // readable: end now
  std::function<void(const std::string&)> warn;     // of a limit that is lower than asked for
};

// Serves `site` until its time is over or the process is interrupted (core/interruption.h). `listening` is
// called with the port once connections are accepted.
//
// The report: `transactions` are responses of status 200 whose last byte the kernel took, `bytes` their
// content; the span goes from the first request to the last response. Failures: "bad_request", "not_found",
// "timeout", "too_many_connections", "reset", "closed" (by the other side, before it had its response).
[[nodiscard]] Result<SideReport> serve(const Site& site, const ServerOptions& options,
                                       const std::function<void(std::uint16_t port)>& listening);

}  // namespace vtax::http
