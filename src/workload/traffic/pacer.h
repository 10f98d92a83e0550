#pragma once

#include <chrono>
#include <cstdint>

#include "core/histogram.h"
#include "workload/traffic/order.h"

namespace vtax {

// Keeps the messages of a sender apart, so that they leave at a set rate.
class Pacer {
 public:
  // `message_bytes`: payload between two waits.
  Pacer(std::uint64_t bits_per_second, std::uint64_t message_bytes, Pacing pacing);

  [[nodiscard]] bool paces() const { return period_.count() > 0; }
  // Returns when the next message is due. How long after its due time that was goes into `lateness` (ns), if
  // given. A sender that falls behind by more than 100 ms (a stall) is not made to catch up with that.
  void wait(Histogram* lateness);
  // When that is, for a sender that must not sleep for long; the clock's beginning before the first.
  [[nodiscard]] std::chrono::steady_clock::time_point due() const { return due_; }

 private:
  using Clock = std::chrono::steady_clock;

  void spin_loop();

  std::chrono::duration<double, std::nano> period_{};
  Pacing pacing_;
  Clock::time_point due_{};
  double carried_ = 0;  // the part of a nanosecond that due_ cannot hold
  double iterations_ = 0, per_nanosecond_ = 0;
};

}  // namespace vtax
