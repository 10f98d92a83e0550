#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>

#include "core/descriptor.h"
#include "core/histogram.h"
#include "workload/measure/progress.h"
#include "workload/measure/watchdog.h"
#include "workload/traffic/order.h"

namespace vtax {

inline constexpr std::byte kPayloadByte{0x5a};

// One of an order's connections. Datagram workloads have a datagram socket, connected to its partner, and the
// stream socket beside it, on which the two sides agree when all is done.
struct Flow {
  Descriptor stream;
  Descriptor datagrams;
};

// What the receiver of a datagram stream has seen.
struct Reception {
  std::uint64_t received = 0;   // different datagrams
  std::uint64_t lost = 0;       // sent, and not received when the stream was over
  std::uint64_t reordered = 0;  // came after one with a higher number
  std::uint64_t duplicates = 0;
  double jitter_ns = 0;  // RFC 3550, 6.4.1: J += (|D| - J) / 16
};

// What one side of a flow counts while it works. Written by the flow's thread alone; the counters are read by
// others.
struct alignas(64) FlowRecord {
  std::atomic<std::uint64_t> bytes{0}, messages{0}, transactions{0};
  Histogram latency;    // ns: of exchanges; of a paced sender, how late each message left
  Reception reception;  // of a datagram receiver
  std::map<std::string, std::uint64_t> failures;

  static void add(std::atomic<std::uint64_t>& counter, std::uint64_t amount) {
    counter.store(counter.load(std::memory_order_relaxed) + amount, std::memory_order_relaxed);
  }
};

// What all flows of one side share.
struct SpanSignals {
  std::atomic<bool> started{false};    // the first byte has moved
  std::atomic<bool> measuring{false};  // the warm-up is over
  std::atomic<bool> over{false};       // whoever sends or asks ends now
};

// One flow's part of an order.
struct FlowTask {
  const Order& order;
  int index = 0;
  bool sends = false;                         // streams: this side of this flow sends the payload
  std::uint64_t bytes = 0, transactions = 0;  // this flow's share of a fixed amount
  const Watchdog& watchdog;
  SpanSignals& signals;
  FlowRecord& record;
  WindowProgress& progress;  // whoever initiates tells what is done

  [[nodiscard]] bool timed() const { return order.duration.count() != 0; }
  [[nodiscard]] bool over() const { return signals.over.load(std::memory_order_relaxed); }
  [[nodiscard]] bool measuring() const { return signals.measuring.load(std::memory_order_relaxed); }
  void start() const {
    if (!signals.started.load(std::memory_order_relaxed)) signals.started.store(true);
  }
};

}  // namespace vtax
