#pragma once

#include <chrono>
#include <ctime>
#include <string>

#include "core/result.h"

namespace vtax {

// Bounds the blocking calls of the thread that makes it, at no cost in instructions while they run: at the
// deadline a signal interrupts the call (EINTR), and again every 50 ms, so that one which comes between two
// calls is not lost. Socket timeouts would arm a kernel timer at every wait and so weigh on what is measured.
//
// A caller asks expired() after each call, done or interrupted: it is one load. Watchdogs do not nest.
class Watchdog {
 public:
  [[nodiscard]] static Result<Watchdog> start(std::chrono::nanoseconds limit);
  Watchdog(Watchdog&& other) noexcept;
  Watchdog& operator=(Watchdog&&) = delete;
  ~Watchdog();

  [[nodiscard]] bool expired() const;
  // Of one that has expired: from now on `more` is left. timeout() goes on to name the first limit.
  [[nodiscard]] Result<> prolong(std::chrono::nanoseconds more);
  // The error of a step that was still waiting when the time was over.
  [[nodiscard]] Error timeout(std::string what) const;

 private:
  Watchdog(timer_t timer, std::chrono::nanoseconds limit);
  [[nodiscard]] Result<> arm(std::chrono::nanoseconds limit) const;

  timer_t timer_{};
  bool armed_ = false;
  std::chrono::nanoseconds limit_{};
};

}  // namespace vtax
