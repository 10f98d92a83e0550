#include "account/waiting.h"

#include <gtest/gtest.h>

namespace vtax {
namespace {

TEST(Waiting, PercentilesAreNearestRanks) {
  ProbeWindow window;
  for (std::uint64_t ns = 1000; ns > 0; --ns) window.latencies.push_back({1, ns});
  window.latencies.push_back({2, 7});
  const auto waiting = waiting_of(window, {{"guest1", {}, {}}, {"guest2", {}, {}}, {"guest3", {}, {}}});
  ASSERT_TRUE(waiting);
  ASSERT_EQ(waiting->size(), 2U);
  const Waiting& first = waiting->front();
  EXPECT_EQ(first.guest, "guest1");
  EXPECT_EQ(first.count, 1000U);
  EXPECT_EQ(first.sum_ns, 500'500U);
  EXPECT_EQ(first.least_ns, 1U);
  EXPECT_EQ(first.p50_ns, 500U);
  EXPECT_EQ(first.p90_ns, 900U);
  EXPECT_EQ(first.p99_ns, 990U);
  EXPECT_EQ(first.p999_ns, 999U);
  EXPECT_EQ(first.most_ns, 1000U);
  EXPECT_EQ(waiting->back().p50_ns, 7U);
  EXPECT_EQ(waiting->back().p999_ns, 7U);
}

TEST(Waiting, OfAGuestThatIsNotThereIsAnError) {
  ProbeWindow window;
  window.latencies.push_back({2, 7});
  EXPECT_FALSE(waiting_of(window, {{"guest1", {}, {}}}));
  window.latencies = {{0, 7}};
  EXPECT_FALSE(waiting_of(window, {{"guest1", {}, {}}}));
  window.latencies = {{1, 1ULL << 50}};
  EXPECT_FALSE(waiting_of(window, {{"guest1", {}, {}}}));
}

}  // namespace
}  // namespace vtax
