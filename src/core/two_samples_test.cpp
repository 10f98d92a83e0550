#include "core/two_samples.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <random>

namespace vtax {
namespace {

std::vector<double> numbers(int from, int to) {
  std::vector<double> values(static_cast<std::size_t>(to - from + 1));
  std::iota(values.begin(), values.end(), static_cast<double>(from));
  return values;
}

// R: wilcox.test(x, y, exact = TRUE)$p.value; SciPy: mannwhitneyu(x, y, method = "exact").
TEST(MannWhitney, HasTheTabledP) {
  EXPECT_NEAR(*mann_whitney_p({1, 2, 3}, {4, 5, 6}), 0.1, 1e-12);
  EXPECT_NEAR(*mann_whitney_p(numbers(1, 4), numbers(5, 8)), 2.0 / 70, 1e-12);
  EXPECT_NEAR(*mann_whitney_p(numbers(1, 5), numbers(6, 10)), 2.0 / 252, 1e-12);
  // The example of R's help page of wilcox.test: U = 35, p = 0.2544 (two-sided; 0.1272 one-sided).
  EXPECT_NEAR(*mann_whitney_p({0.80, 0.83, 1.89, 1.04, 1.45, 1.38, 1.91, 1.64, 0.73, 1.46},
                              {1.15, 0.88, 0.90, 0.74, 1.21}),
              0.2544, 5e-5);
}

TEST(MannWhitney, OfEqualValuesIsOne) {
  EXPECT_DOUBLE_EQ(*mann_whitney_p({5, 5, 5}, {5, 5, 5, 5}), 1);
  EXPECT_DOUBLE_EQ(*mann_whitney_p(std::vector<double>(80, 1), std::vector<double>(80, 1)), 1);
  EXPECT_FALSE(mann_whitney_p({}, {1}));
}

// With ties: over every way of dealing the values out, counted here one by one.
TEST(MannWhitney, WithTiesIsThePermutationTest) {
  const std::vector<double> a{1, 2, 2, 3, 7}, b{2, 3, 3, 8};
  std::vector<double> all = a;
  all.insert(all.end(), b.begin(), b.end());
  const auto rank_sum = [&](const std::vector<double>& some) {
    double sum = 0;
    for (const double value : some) {
      for (const double other : all) sum += other < value ? 1 : other == value ? 0.5 : 0;
    }
    return sum;
  };
  const double mean = static_cast<double>(a.size()) * static_cast<double>(all.size()) / 2;
  const double seen = std::abs(rank_sum(a) - mean);
  int far = 0, ways = 0;
  std::vector<bool> taken(all.size(), false);
  std::fill(taken.begin(), taken.begin() + 5, true);
  do {
    std::vector<double> some;
    for (std::size_t i = 0; i < all.size(); ++i) {
      if (taken[i]) some.push_back(all[i]);
    }
    ++ways;
    far += std::abs(rank_sum(some) - mean) >= seen - 1e-9;
  } while (std::prev_permutation(taken.begin(), taken.end()));
  EXPECT_NEAR(*mann_whitney_p(a, b), static_cast<double>(far) / ways, 1e-12);
}

TEST(MannWhitney, TheApproximationMeetsTheExact) {
  std::mt19937 random(1);
  std::vector<double> a, b;
  for (int i = 0; i < 50; ++i) {
    a.push_back(static_cast<double>(random() % 40));
    b.push_back(static_cast<double>(random() % 40) + 5);
  }
  const double exact = *mann_whitney_p(a, b);
  a.push_back(20);  // 101 values: no longer exact
  EXPECT_NEAR(*mann_whitney_p(a, b), exact, 0.02);
}

// Of samples from one population 5 % may be taken for different, no more.
TEST(MannWhitney, IsWrongAsOftenAsItSays) {
  std::mt19937 random(2);
  std::lognormal_distribution<double> skewed;
  int wrong = 0;
  for (int round = 0; round < 1000; ++round) {
    std::vector<double> a(8), b(8);
    for (auto* sample : {&a, &b}) {
      for (double& value : *sample) value = skewed(random);
    }
    wrong += compare_samples(a, b).is_shown();
  }
  EXPECT_LE(wrong, 70);
  EXPECT_GE(wrong, 25);
}

// Tables of the Wilcoxon rank sum: at 5 and 5 two pairs of 25 may lie beyond each end, at 8 and 8 thirteen.
TEST(RatioInterval, HasTheTabledRanks) {
  const std::vector<double> one(5, 1.0);
  EXPECT_EQ(ratio_interval({1, 1, 1, 1, 1}, {2, 3, 4, 5, 6}), (Interval{2, 6}));
  EXPECT_EQ(ratio_interval({1, 1, 1, 1}, {2, 3, 4, 5}), (Interval{2, 5}));
  EXPECT_FALSE(ratio_interval({1, 1, 1}, {2, 3, 4}));
  EXPECT_FALSE(ratio_interval({0, 1, 1, 1, 1}, one));
  EXPECT_EQ(ratio_interval(one, one), (Interval{1, 1}));
  std::vector<double> all;
  for (const double a : numbers(1, 8))
    for (const double b : numbers(11, 18)) all.push_back(b / a);
  std::sort(all.begin(), all.end());
  EXPECT_EQ(ratio_interval(numbers(1, 8), numbers(11, 18)), (Interval{all[13], all[64 - 14]}));
}

TEST(RatioInterval, LeavesOneOutExactlyWhereTheTestShowsADifference) {
  std::mt19937 random(3);
  std::lognormal_distribution<double> skewed;
  int shown = 0;
  for (int round = 0; round < 500; ++round) {
    std::vector<double> a(4 + random() % 5), b(4 + random() % 5);
    for (double& value : a) value = skewed(random);
    for (double& value : b) value = 2 * skewed(random);
    const auto interval = ratio_interval(a, b);
    ASSERT_TRUE(interval);
    const bool leaves_out = interval->low > 1 || interval->high < 1;
    EXPECT_EQ(leaves_out, compare_samples(a, b).is_shown()) << round;
    shown += leaves_out ? 1 : 0;
  }
  EXPECT_GT(shown, 20);
}

TEST(RatioInterval, HoldsTheTruthAsOftenAsItSays) {
  std::mt19937 random(4);
  std::lognormal_distribution<double> skewed;
  int held = 0;
  for (int round = 0; round < 1000; ++round) {
    std::vector<double> a(5), b(5);
    for (double& value : a) value = skewed(random);
    for (double& value : b) value = 3 * skewed(random);
    const auto interval = ratio_interval(a, b);
    held += interval->low <= 3 && interval->high >= 3 ? 1 : 0;
  }
  EXPECT_GE(held, 940);
}

TEST(TwoSamples, SayWhenTheyAreTooFew) {
  EXPECT_TRUE(compare_samples({1}, {2}).is_too_few);
  EXPECT_TRUE(compare_samples({1, 2, 3}, {4, 5, 6}).is_too_few);
  EXPECT_FALSE(compare_samples(numbers(1, 4), numbers(5, 8)).is_too_few);
  EXPECT_TRUE(compare_samples(numbers(1, 4), numbers(5, 8)).is_shown());
  EXPECT_TRUE(compare_samples({}, {1}).is_too_few);
  EXPECT_NEAR(least_mann_whitney_p(5, 5), 2.0 / 252, 1e-15);
}

TEST(CliffsDelta, IsTheDifferenceOfTheShares) {
  EXPECT_EQ(cliffs_delta({1, 2, 3}, {4, 5, 6}), 1.0);
  EXPECT_EQ(cliffs_delta({4, 5, 6}, {1, 2, 3}), -1.0);
  EXPECT_EQ(cliffs_delta({1, 2, 3}, {1, 2, 3}), 0.0);
  EXPECT_NEAR(*cliffs_delta({1, 2}, {2, 3}), (0.5 + 1) / 2, 1e-12);  // 2: one below, one equal; 3: two below
  EXPECT_FALSE(cliffs_delta({}, {1}));
  EXPECT_STREQ(effect_size(-0.4), "medium");
  EXPECT_STREQ(effect_size(0.1), "negligible");
  EXPECT_STREQ(effect_size(1), "large");
}

}  // namespace
}  // namespace vtax
