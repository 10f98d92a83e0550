#pragma once

#include <chrono>
#include <cmath>
#include <cstdint>

#include "workload/http/random.h"

namespace vtax::http {

// The times at which something is due, fixed before anything is sent: the k-th at start + k / rate, or with
// exponential gaps of that mean. Nothing that happens moves them, which is what makes a loop open.
class Schedule {
 public:
  using Instant = std::chrono::steady_clock::time_point;

  // `phase`: a part of the first gap, so that several threads do not fire together.
  Schedule(Instant start, double rate, double phase, bool poisson, Random random)
      : start_(start), gap_(1e9 / rate), at_(poisson ? 0 : phase * gap_), poisson_(poisson), random_(random) {
    if (poisson_) at_ = exponential();
  }

  [[nodiscard]] Instant due() const {
    return start_ + std::chrono::nanoseconds(static_cast<std::int64_t>(at_));
  }

  void advance() {
    if (poisson_)
      at_ += exponential();
    else
      at_ = first_ + static_cast<double>(++count_) * gap_;  // multiplied, so that rounding does not add up
  }

 private:
  double exponential() { return -std::log(1 - random_.share()) * gap_; }

  Instant start_;
  double gap_;  // ns
  double at_;   // ns since start
  double first_ = at_;
  std::uint64_t count_ = 0;
  bool poisson_;
  Random random_;
};

}  // namespace vtax::http
