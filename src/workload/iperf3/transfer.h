#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <mutex>

#include "core/result.h"
#include "workload/iperf3/parameters.h"
#include "workload/iperf3/streams.h"
#include "workload/traffic/datagram.h"
#include "workload/traffic/flow.h"
#include "workload/traffic/order.h"

namespace vtax::iperf3 {

// How this side does its part; the other side cannot tell.
struct TransferOptions {
  bool discard = false;  // TCP receiver: drop the payload in the kernel, without copying it (MSG_TRUNC)
  bool batch = false;    // UDP sender: one system call for many datagrams (UDP_SEGMENT)
  Pacing pacing = Pacing::sleep;
};

// What one stream counts while it works: FlowRecord's counters by one thread, read by another. For datagrams
// the meter is shared, under the mutex.
struct StreamRecord {
  FlowRecord counts;
  std::mutex mutex;
  ReceptionMeter meter;
  std::atomic<std::int64_t> finished_ns{0};  // steady clock: when a sender had done its share
};

// What the test still waits for to be received, of a fixed amount. Whoever brings the last of it says so.
struct Awaited {
  std::atomic<std::int64_t> bytes{0};
  std::atomic<std::int64_t> finished_ns{0};
};

struct TransferTask {
  const Parameters& test;
  const TransferOptions& options;
  const Stream& stream;
  std::uint64_t share = 0;  // what a sender sends; 0: until it is over
  SpanSignals& signals;
  StreamRecord& record;
  Awaited* awaited = nullptr;  // of a receiver that counts down a fixed amount
  int event_fd = -1;           // written to when this stream has done what it should

  [[nodiscard]] bool over() const { return signals.over.load(std::memory_order_relaxed); }
};

// Moves one stream's payload, with blocking calls, one a write. A sender returns when its share is done (for
// TCP: confirmed by the other side's kernel) or it is over; a receiver of TCP when its half of the connection
// is closed, by whichever side, one of UDP when it is over. A stream that ends before it is over is an error.
[[nodiscard]] Result<> transfer(const TransferTask& task);

}  // namespace vtax::iperf3
