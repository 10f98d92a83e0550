#include "workload/traffic/pacer.h"

#include <sys/prctl.h>

#include <algorithm>
#include <cmath>
#include <ctime>

namespace vtax {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::chrono::milliseconds kMostBacklog{100};

void empty_loop(std::uint64_t iterations) {
  for (std::uint64_t i = 0; i < iterations; ++i) asm volatile("" : "+r"(i));
}

// The best of some tries: a try that was interrupted shows a slower loop.
double iterations_per_nanosecond() {
  constexpr std::uint64_t kSome = 200'000;
  double best = 0;
  for (int i = 0; i < 10; ++i) {
    const Clock::time_point start = Clock::now();
    empty_loop(kSome);
    const std::chrono::duration<double, std::nano> took = Clock::now() - start;
    best = std::max(best, static_cast<double>(kSome) / std::max(took.count(), 1.0));
  }
  return best;
}

void sleep_until(Clock::time_point when) {
  const auto since = when.time_since_epoch();
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(since);
  const timespec at{seconds.count(), std::chrono::nanoseconds(since - seconds).count()};
  clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &at, nullptr);
}

}  // namespace

Pacer::Pacer(std::uint64_t bits_per_second, std::uint64_t message_bytes, Pacing pacing) : pacing_(pacing) {
  if (bits_per_second == 0) return;
  period_ = std::chrono::duration<double, std::nano>(static_cast<double>(message_bytes) * 8e9 /
                                                     static_cast<double>(bits_per_second));
  if (pacing == Pacing::sleep) prctl(PR_SET_TIMERSLACK, 1);  // or every sleep is 50 us too long
  if (pacing == Pacing::loop) per_nanosecond_ = iterations_per_nanosecond();
}

void Pacer::wait(Histogram* lateness) {
  if (!paces()) return;
  Clock::time_point now = Clock::now();
  if (due_ == Clock::time_point()) {
    due_ = now;  // the first message leaves at once
    iterations_ = period_.count() * per_nanosecond_;
  } else if (pacing_ == Pacing::loop) {
    spin_loop();
    now = Clock::now();
  } else if (now < due_) {
    if (pacing_ == Pacing::sleep) sleep_until(due_);
    do now = Clock::now();
    while (now < due_);
  }
  if (now - due_ > kMostBacklog) due_ = now;
  if (lateness != nullptr)
    lateness->record(static_cast<std::uint64_t>(std::max<std::int64_t>(0, (now - due_).count())));
  const double step = period_.count() + carried_;
  const double whole = std::floor(step);
  carried_ = step - whole;
  due_ += std::chrono::nanoseconds(static_cast<std::int64_t>(whole));
}

// The loop's length follows from how early or late the messages come: what the send itself costs is not known
// beforehand, and changes.
void Pacer::spin_loop() {
  empty_loop(static_cast<std::uint64_t>(std::max(iterations_, 0.0)));
  const std::chrono::duration<double, std::nano> late = Clock::now() - due_;
  constexpr double kGain = 0.05;
  const double most = period_.count() * per_nanosecond_;
  iterations_ = std::clamp(iterations_ - kGain * late.count() * per_nanosecond_, 0.0, most);
}

}  // namespace vtax
