#include "workload/local/share_control.h"

#include <algorithm>
#include <cmath>

namespace vtax {
namespace {

constexpr std::int64_t kSharePieceNs = 2'000'000;  // of the loop, between two looks at the clocks
constexpr std::int64_t kShareGrainNs = 3'000;      // of CPU: less than two looks at the clock cost
constexpr std::int64_t kShareSteadyNs = 100'000;   // shorter pieces say too little of the loop's speed
constexpr double kShareFollow = 0.1;               // of a change of the loop's speed, a piece

}  // namespace

void ShareControl::calibrate() {
  constexpr std::uint64_t kIterations = 500'000;
  for (int i = 0; i < 5; ++i) {
    const std::int64_t before = cpu_.used_ns();
    cpu_.spin(kIterations);
    const std::int64_t took = std::max<std::int64_t>(1, cpu_.used_ns() - before);
    per_ns_ = std::max(per_ns_, static_cast<double>(kIterations) / static_cast<double>(took));
  }
}

// Takes CPU time until the thread has had `goal_ns` of it, or the period is over.
void ShareControl::burn(std::int64_t goal_ns, std::int64_t period_end_ns) {
  while (!cpu_.over()) {
    const std::int64_t before = cpu_.used_ns();
    const std::int64_t left = goal_ns - before;
    if (left < kShareGrainNs || cpu_.now_ns() >= period_end_ns) return;
    const std::int64_t piece = std::min(left, kSharePieceNs);
    const auto iterations = static_cast<std::uint64_t>(static_cast<double>(piece) * per_ns_) + 1;
    cpu_.spin(iterations);
    const std::int64_t took = cpu_.used_ns() - before;
    // The clock rate changes and neighbours on the core come and go: follow them slowly.
    if (took > kShareSteadyNs)
      per_ns_ += kShareFollow * (static_cast<double>(iterations) / static_cast<double>(took) - per_ns_);
  }
}

ShareControl::Reached ShareControl::hold(double share, std::int64_t start_ns, std::int64_t period_ns,
                                         std::int64_t duration_ns) {
  Reached reached;
  calibrate();
  cpu_.sleep_until(start_ns);
  const std::int64_t start = std::max(start_ns, cpu_.now_ns());  // calibrating may have taken longer
  const std::int64_t end = start + duration_ns, used = cpu_.used_ns();
  for (std::int64_t begin = start; begin < end && !cpu_.over(); begin += period_ns) {
    cpu_.sleep_until(begin);
    const std::int64_t late = cpu_.now_ns() - begin;
    reached.lateness.record(static_cast<std::uint64_t>(std::max<std::int64_t>(0, late)));
    const std::int64_t period_end = std::min(end, begin + period_ns);
    burn(used + std::llround(share * static_cast<double>(period_end - start)), period_end);
    ++reached.periods;
  }
  cpu_.sleep_until(end);
  reached.used_ns = cpu_.used_ns() - used;
  reached.span_ns = cpu_.now_ns() - start;
  return reached;
}

}  // namespace vtax
