#include "agent/paced_queue.h"

#include <gtest/gtest.h>

#include <numeric>

namespace vtax::agent {
namespace {

using std::chrono::nanoseconds;

TEST(PacedQueue, ConstantGapsBelowTheServiceNeverWait) {
  const PacedQueue queue{1000, 1, nanoseconds(1250), PacedQueue::Gaps::constant};
  EXPECT_EQ(lindley_mean_wait_ns(queue.arrivals(), 1000), 0);
  // Each one comes 250 ns too early and waits so much longer than the one before.
  EXPECT_DOUBLE_EQ(lindley_mean_wait_ns(queue.arrivals(), 1500), 250 * 999.0 / 2);
}

TEST(PacedQueue, ExponentialGapsWaitAsPollaczekAndKhinchineSay) {
  // Waits of a busy queue resemble each other for long: 100,000 of them say their mean to some per cent.
  for (const double load : {0.5, 0.8}) {
    const PacedQueue queue{100'000, 1, nanoseconds(static_cast<long>(10'000 / load)),
                           PacedQueue::Gaps::exponential};
    const auto gaps = queue.arrivals();
    EXPECT_NEAR(static_cast<double>(std::accumulate(gaps.begin(), gaps.end(), nanoseconds{}).count()) /
                    (100'000 * 10'000 / load),
                1, 0.01);
    EXPECT_NEAR(lindley_mean_wait_ns(gaps, 10'000) / md1_mean_wait_ns(load, 10'000), 1, 0.05) << load;
  }
}

}  // namespace
}  // namespace vtax::agent
