#include "core/statistics.h"

#include <gtest/gtest.h>

#include <numeric>

namespace vtax {
namespace {

std::vector<double> up_to(int n) {
  std::vector<double> values(static_cast<std::size_t>(n));
  std::iota(values.begin(), values.end(), 1.0);
  return values;
}

TEST(Median, OfNothingIsNothing) {
  EXPECT_EQ(median({}), std::nullopt);
  EXPECT_EQ(median_interval({}), std::nullopt);
}

TEST(Median, IsTheMiddleInAnyOrder) {
  EXPECT_EQ(median({3, 1, 2}), 2.0);
  EXPECT_EQ(median({4, 1, 3, 2}), 2.5);
}

// Published tables of the sign test: ranks of the 95 % interval.
TEST(MedianInterval, HasTheTabledRanks) {
  EXPECT_EQ(median_interval(up_to(5)), std::nullopt);
  EXPECT_EQ(median_interval(up_to(6)), (Interval{1, 6}));
  EXPECT_EQ(median_interval(up_to(8)), (Interval{1, 8}));
  EXPECT_EQ(median_interval(up_to(9)), (Interval{2, 8}));
  EXPECT_EQ(median_interval(up_to(10)), (Interval{2, 9}));
  EXPECT_EQ(median_interval(up_to(20)), (Interval{6, 15}));
  EXPECT_EQ(median_interval(up_to(100)), (Interval{40, 61}));
  EXPECT_EQ(median_interval(up_to(10), 0.99), (Interval{1, 10}));
}

TEST(MedianInterval, LargeSamplesDoNotUnderflow) {
  const auto interval = median_interval(up_to(10'000));
  ASSERT_TRUE(interval.has_value());
  EXPECT_NEAR(interval->low, 4902, 1);
  EXPECT_NEAR(interval->high, 5099, 1);
}

}  // namespace
}  // namespace vtax
