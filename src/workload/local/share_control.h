#pragma once

#include <cstdint>

#include "core/histogram.h"

namespace vtax {

// A CPU as one thread sees it: the real one, or a test's.
class LoadedCpu {
 public:
  virtual ~LoadedCpu() = default;
  virtual std::int64_t now_ns() = 0;   // of a monotonic clock
  virtual std::int64_t used_ns() = 0;  // CPU time that this thread has had
  virtual void spin(std::uint64_t iterations) = 0;
  virtual void sleep_until(std::int64_t then_ns) = 0;  // or until it is over
  virtual bool over() = 0;                             // nobody wants the load any more
};

// Holds a share of a CPU by a loop and a sleep in each period.
//
// The loop is calibrated (iterations per ns of CPU time), and each period is corrected by what the thread has
// had since the start:
//   goal(k) = share * (end of period k - start),   loop in period k: goal(k) - CPU time so far
// so a period that was cut short by others, or a loop that ran slower, is made up for by the next ones.
class ShareControl {
 public:
  explicit ShareControl(LoadedCpu& cpu) : cpu_(cpu) {}

  struct Reached {
    std::int64_t used_ns = 0, span_ns = 0;
    std::uint64_t periods = 0;
    Histogram lateness;  // of the periods' beginnings, ns
  };
  // Calibrates, waits for `start_ns` and holds the share for `duration_ns`.
  [[nodiscard]] Reached hold(double share, std::int64_t start_ns, std::int64_t period_ns,
                             std::int64_t duration_ns);

 private:
  void calibrate();
  void burn(std::int64_t goal_ns, std::int64_t period_end_ns);

  LoadedCpu& cpu_;
  double per_ns_ = 0;  // iterations
};

}  // namespace vtax
