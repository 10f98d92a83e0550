#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <thread>
#include <vector>

#include "core/descriptor.h"
#include "core/result.h"
#include "workload/iperf3/parameters.h"
#include "workload/iperf3/streams.h"
#include "workload/iperf3/transfer.h"
#include "workload/measure/cpu_meter.h"
#include "workload/traffic/tcp_figures.h"

namespace vtax::iperf3 {

// One stream from one moment to another.
struct StreamFigures {
  std::uint64_t bytes = 0, messages = 0;
  std::uint64_t highest = 0;      // UDP: numbers sent, or the highest received, since the test began
  Reception reception;            // UDP receiver
  std::optional<TcpFigures> tcp;  // TCP sender; retransmits are those of the time, the rest is at its end
};

struct PhaseInterval {
  std::chrono::nanoseconds start{}, end{};  // since the test began; since the omitted time was over
  bool omitted = false;
  std::vector<StreamFigures> streams;
};

// The measured span of one side.
struct PhaseReport {
  std::chrono::nanoseconds duration{};
  CpuUse cpu;
  std::vector<StreamFigures> streams;
  std::vector<std::uint64_t> omitted_highest;  // UDP: StreamFigures::highest when the omitted time was over
  // Those of the measured span add up to it, stream by stream and count by count.
  std::vector<PhaseInterval> intervals;
  std::uint64_t no_buffer_space = 0;  // UDP sender
};

// The data of a test on one side: a thread a stream, the omitted time, intervals, and the end, which comes
// from outside. The caller has one thread for all that is not payload; it waits for events (event_fd and the
// time next()) and then calls run_due().
class Phase {
 public:
  using Clock = std::chrono::steady_clock;

  struct Options {
    TransferOptions transfer;
    std::chrono::nanoseconds omit{};
    std::chrono::nanoseconds duration{};  // after that it is finished(); 0: when the amount is done, if any
    std::chrono::nanoseconds interval{};  // 0: none
    bool ends_test = false;               // the client's: it counts down what it receives of a fixed amount
  };

  Phase(const Parameters& test, const std::vector<Stream>& streams, Options options);
  ~Phase();
  Phase(const Phase&) = delete;
  Phase& operator=(const Phase&) = delete;

  [[nodiscard]] Result<> start();
  [[nodiscard]] int event_fd() const { return event_.get(); }
  [[nodiscard]] Clock::time_point next() const;
  void run_due();
  [[nodiscard]] bool begun() const { return begun_; }  // the omitted time is over
  // The time is over, the amount is done, or something failed.
  [[nodiscard]] bool finished() const;
  [[nodiscard]] Result<> failure() const;
  [[nodiscard]] std::uint64_t moved() const;  // bytes on all streams since the beginning
  [[nodiscard]] std::uint64_t moved(std::size_t stream) const;
  // When this side had done its part of a fixed amount; nothing before, or where it has none.
  [[nodiscard]] std::optional<Clock::time_point> amount_end() const;

  // The measured span ends here; of an amount that is done, when it was.
  void freeze();
  // As freeze(), at this moment of the past.
  void freeze(Clock::time_point end);
  // After freeze() and end_sending(): waits for the senders and adds what their last writes had handed over
  // by then. A write in progress is not counted before it returns, but the other side may have it.
  void count_last_writes();
  [[nodiscard]] const PhaseReport& report() const { return report_; }

  // Senders end.
  void end_sending();
  // Receivers of TCP end when the other side has closed its half, all others and after `patience` at once.
  void stop(std::chrono::milliseconds patience);

 private:
  struct Worker {
    StreamRecord record;
    Result<> outcome;
    std::uint64_t share = 0;
    StreamFigures at_begin, at_interval;
    std::atomic<bool> ended{false};
  };

  void work(std::size_t stream);
  [[nodiscard]] StreamFigures figures(std::size_t stream, bool restart_reception = false);
  [[nodiscard]] std::vector<StreamFigures> readings();
  void begin_span(Clock::time_point now);
  // `now` and `figures` are of one moment: what one interval does not hold is in the next.
  void end_interval(Clock::time_point now, const std::vector<StreamFigures>& figures);
  void take_back_losses(std::size_t stream, std::uint64_t found);
  [[nodiscard]] bool takes_intervals() const;

  const Parameters& test_;
  const std::vector<Stream>& streams_;
  Options options_;
  Descriptor event_;
  SpanSignals signals_;
  Awaited awaited_;
  std::vector<std::unique_ptr<Worker>> workers_;
  std::vector<std::jthread> threads_;
  std::atomic<int> ended_{0};
  std::atomic<bool> failed_{false};

  bool begun_ = false, frozen_ = false;
  Clock::time_point start_, begin_, interval_start_;
  std::optional<CpuMeter> meter_;
  PhaseReport report_;
};

}  // namespace vtax::iperf3
