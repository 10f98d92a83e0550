#pragma once

#include <chrono>
#include <functional>
#include <string>

#include "core/result.h"
#include "workload/iperf3/test_report.h"
#include "workload/traffic/tcp_socket.h"

namespace vtax::iperf3 {

struct ServerOptions {
  TcpAddress at{"127.0.0.1", kDefaultPort};  // port 0: the system chooses
  std::chrono::nanoseconds lifetime{};       // ends by itself after that; 0: never
  std::chrono::seconds longest_test{3600};   // more is refused; a test of an amount ends after it
  std::uint64_t most_bits_per_second = 0;    // that a client may ask for in all; 0: any
  std::chrono::nanoseconds interval{};       // of each test's report; 0: none
  bool one_test = false;                     // end after the first that was done to its end
  bool discard = false;                      // receive without copying
};

// What a server tells its owner. `done` is called in the process of that test; it may write to standard
// output.
struct ServerEvents {
  std::function<void(const std::string&)> note;
  std::function<void(const TestReport&)> done;
  // What a client that asks for the server's output gets.
  std::function<std::string(const TestReport&)> output;
};

// One test after the other, each in a process of its own, which ends with its client or with this one.
// Whoever comes meanwhile is told that the server is busy. Connections that say nothing keep nobody out: the
// next to show a cookie has its test. Returns when interrupted, when the lifetime is over, or after the one
// test.
[[nodiscard]] Result<> serve(const ServerOptions& options, const ServerEvents& events);

}  // namespace vtax::iperf3
