#include "workload/local/share_control.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "workload/local/seeded.h"

namespace vtax {
namespace {

constexpr std::int64_t kMs = 1'000'000;

// A CPU whose speed wanders, that others take away, and that wakes late; all of it from a seed.
class RestlessCpu final : public LoadedCpu {
 public:
  double slowest = 1;         // of the full speed, where it wanders to
  std::int64_t taken_ns = 0;  // by others, about this much after each `every_ns` of this thread's time
  std::int64_t every_ns = 5 * kMs;
  std::int64_t latest_ns = 0;  // wake-up
  std::int64_t over_at = 1LL << 62;

  std::int64_t now_ns() override { return now_ += 30; }
  std::int64_t used_ns() override {
    now_ += 200;
    return used_ += 200;
  }
  void spin(std::uint64_t iterations) override {
    const double phase = std::sin(static_cast<double>(now_) / 300e6);
    const double speed = kFullSpeed * (1 - (1 - slowest) * 0.5 * (1 + phase));
    const auto took = static_cast<std::int64_t>(static_cast<double>(iterations) / speed);
    used_ += took;
    now_ += took;
    for (since_taken_ += took; taken_ns > 0 && since_taken_ > every_ns; since_taken_ -= every_ns)
      now_ += static_cast<std::int64_t>(2 * random_.unit() * static_cast<double>(taken_ns));
  }
  void sleep_until(std::int64_t then) override {
    if (now_ >= then || over()) return;
    now_ =
        std::min(then, over_at) + static_cast<std::int64_t>(random_.unit() * static_cast<double>(latest_ns));
  }
  bool over() override { return now_ >= over_at; }

 private:
  static constexpr double kFullSpeed = 0.6;  // iterations per ns
  std::int64_t now_ = 7'000'000'000, used_ = 12'345, since_taken_ = 0;
  SplitMix random_{1};
};

double share_error(RestlessCpu cpu, double share, std::int64_t period_ns = 10 * kMs) {
  const auto reached = ShareControl(cpu).hold(share, cpu.now_ns() + 20 * kMs, period_ns, 2000 * kMs);
  return 100 * (static_cast<double>(reached.used_ns) / static_cast<double>(reached.span_ns) - share);
}

TEST(ShareControl, IsWithinAPointOnAnyCpuThatHasTheShareToGive) {
  RestlessCpu quiet, wandering, shared, sleepy;
  wandering.slowest = 0.4;
  shared.taken_ns = 400'000;  // 7 % of the CPU
  sleepy.latest_ns = 900'000;
  for (int percent = 10; percent <= 90; percent += 10) {
    const double share = percent / 100.0;
    EXPECT_LE(std::abs(share_error(quiet, share)), 0.1) << percent << " %, quiet";
    EXPECT_LE(std::abs(share_error(wandering, share)), 0.5) << percent << " %, wandering";
    EXPECT_LE(std::abs(share_error(shared, share)), 0.5) << percent << " %, shared";
    EXPECT_LE(std::abs(share_error(sleepy, share)), 0.5) << percent << " %, sleepy";
    EXPECT_LE(std::abs(share_error(quiet, share, kMs / 10)), 0.5) << percent << " %, 100 us";
  }
}

TEST(ShareControl, TakesNoMoreThanItsShareWhenItCannotHaveIt) {
  RestlessCpu crowded;
  crowded.taken_ns = 5 * kMs;  // half of the CPU
  EXPECT_LT(share_error(crowded, 0.9), -30);
  EXPECT_LE(std::abs(share_error(crowded, 0.3)), 1);
}

TEST(ShareControl, EndsSoonWhenNobodyWantsItAnyMore) {
  RestlessCpu cpu;
  cpu.over_at = cpu.now_ns() + 500 * kMs;
  const auto reached = ShareControl(cpu).hold(1, cpu.now_ns() + 20 * kMs, 1000 * kMs, 3'600'000 * kMs);
  EXPECT_LE(cpu.now_ns(), cpu.over_at + 10 * kMs);
  EXPECT_EQ(reached.periods, 1U);
}

}  // namespace
}  // namespace vtax
