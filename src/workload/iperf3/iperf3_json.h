#pragma once

#include <string>

#include "core/result.h"
#include "workload/iperf3/test_report.h"

namespace vtax::iperf3 {

// A client's test with the names, units and nesting of `iperf3 -J` of version 3.12, for programs that read
// those: start, intervals[].streams and sum, end.streams, sum_sent, sum_received, cpu_utilization_percent. As
// there, what a client cannot know of a server's TCP (its windows and round trips) is 0.
[[nodiscard]] std::string iperf3_json(const TestReport& report);
// Of a test that failed: an object with `error`, as iperf3 prints it.
[[nodiscard]] std::string iperf3_json(const Error& error);

}  // namespace vtax::iperf3
