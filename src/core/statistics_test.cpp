#include "core/statistics.h"

#include <gtest/gtest.h>

#include <cmath>

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

TEST(Median, TheLowerOneIsOneOfTheValues) {
  EXPECT_EQ(lower_median({}), std::nullopt);
  EXPECT_EQ(lower_median({3, 1, 2}), 2.0);
  EXPECT_EQ(lower_median({4, 1, 3, 2}), 2.0);
}

TEST(SampleInterval, OfFiveIsAllOfThemAtWhatThatIsWorth) {
  EXPECT_FALSE(sample_interval(up_to(4)));
  EXPECT_EQ(sample_interval(up_to(5))->range, (Interval{1, 5}));
  EXPECT_EQ(sample_interval(up_to(5))->confidence, 0.9375);
  EXPECT_EQ(sample_interval(up_to(6))->range, (Interval{1, 6}));
  EXPECT_EQ(sample_interval(up_to(6))->confidence, 0.95);
  EXPECT_EQ(sample_interval(up_to(14))->range, *median_interval(up_to(14)));
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

// Published tables (NIST/SEMATECH e-Handbook, 1.3.6.7.2).
TEST(FairnessIndex, IsJains) {
  EXPECT_EQ(fairness_index({3}), 1);
  EXPECT_EQ(fairness_index({5, 5, 5, 5}), 1);
  EXPECT_EQ(fairness_index({8, 0, 0, 0}), 0.25);
  // Primet's experiment 3, four idle guests: 835^2 / (4 (350^2 + 215^2 + 155^2 + 115^2)).
  EXPECT_NEAR(*fairness_index({350, 215, 155, 115}), 697225.0 / (4 * 205975.0), 1e-12);
  EXPECT_FALSE(fairness_index({}));
  EXPECT_FALSE(fairness_index({0, 0}));
  EXPECT_FALSE(fairness_index({1, -1}));
}

TEST(StudentQuantile, IsThatOfTheTables) {
  EXPECT_NEAR(student_quantile(0.975, 1), 12.706, 5e-4);
  EXPECT_NEAR(student_quantile(0.975, 2), 4.303, 5e-4);
  EXPECT_NEAR(student_quantile(0.975, 5), 2.571, 5e-4);
  EXPECT_NEAR(student_quantile(0.995, 9), 3.250, 5e-4);
  EXPECT_NEAR(student_quantile(0.95, 30), 1.697, 5e-4);
  EXPECT_NEAR(student_quantile(0.975, 100), 1.984, 5e-4);
}

TEST(MeanInterval, IsStudents) {
  EXPECT_FALSE(mean_interval({1}));
  const auto interval = mean_interval({10, 12, 14});  // s = 2, t = 4.3027
  ASSERT_TRUE(interval);
  EXPECT_NEAR(interval->high - 12, 4.3027 * 2 / std::sqrt(3.0), 1e-3);
  EXPECT_NEAR(12 - interval->low, interval->high - 12, 1e-12);
  EXPECT_EQ(mean_interval({5, 5, 5}), (Interval{5, 5}));
}

}  // namespace
}  // namespace vtax
