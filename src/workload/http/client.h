#pragma once

#include <functional>
#include <string>
#include <vector>

#include "core/result.h"
#include "workload/http/load.h"
#include "workload/http/request_source.h"
#include "workload/measure/side_report.h"

namespace vtax::http {

struct ClientReport {
  SideReport side;
  std::vector<std::string> warnings;  // why the figures are less than they seem
};

// Does what `load` asks for, and waits for the responses that are still due (at most load.timeout).
//
// The report: `transactions` and `bytes` (of content) are whole responses of status 200 to 299 that came
// within the span; the first metric is their rate. `latency` is that of all requests that were due in the
// span, from the time at which they were due, so that what a slow server keeps from being sent counts too;
// `details.service_time` is from the time at which they were begun. In a closed loop the two are one.
// Failures, by kind:
//   timeout, refused, reset, closed (before the response was whole), bad_response (no HTTP, wrong size),
//   http_error (another status), no_port, no_descriptor, unreachable, late (begun, but late by the client's
//   fault)
//
// An error (trial_failed) when not one response came. `on_interval` is told, in order, of each interval soon
// after its end.
[[nodiscard]] Result<ClientReport> run_client(
    const Load& load, const RequestSource& source,
    const std::function<void(const IntervalReport&)>& on_interval = {});

// Exactly load.total requests, from this thread alone, as a controller of both ends needs it; `window`: the
// lab's markers around them. The report's span is what they took. An error (trial_failed) unless every one
// had its response.
[[nodiscard]] Result<SideReport> run_requests(const Load& load, const RequestSource& source, bool window);

// What is wrong with the load itself (usage).
[[nodiscard]] Result<> check(const Load& load);

}  // namespace vtax::http
