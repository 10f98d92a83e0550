#pragma once

#include <chrono>
#include <functional>
#include <string>

#include "core/result.h"
#include "workload/iperf3/test_report.h"
#include "workload/traffic/tcp_socket.h"

namespace vtax::iperf3 {

struct ClientOptions {
  TcpAddress server;
  Parameters test;
  std::chrono::nanoseconds duration{};  // 0: until the test's amount is done
  std::chrono::nanoseconds interval{};  // 0: none
  TransferOptions transfer;
};

// One test with an iperf3 server, a stock one or vtax's. A server that is busy, silent, leaves, or says that
// it did more than was sent is an error. `on_interval` is told of each interval of the measured span as it
// ends.
[[nodiscard]] Result<TestReport> run_client(
    const ClientOptions& options, const std::function<void(const IntervalReport&)>& on_interval = {});

}  // namespace vtax::iperf3
