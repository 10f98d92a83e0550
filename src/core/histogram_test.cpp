#include "core/histogram.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>

namespace vtax {
namespace {

TEST(Histogram, HoldsSmallValuesExactly) {
  Histogram histogram;
  for (std::uint64_t value = 1; value <= 100; ++value) histogram.record(value);
  EXPECT_EQ(histogram.count(), 100U);
  EXPECT_EQ(histogram.minimum(), 1U);
  EXPECT_EQ(histogram.maximum(), 100U);
  EXPECT_DOUBLE_EQ(histogram.mean(), 50.5);
  EXPECT_EQ(histogram.quantile(0.5), 50U);
  EXPECT_EQ(histogram.quantile(0.99), 99U);
  EXPECT_EQ(histogram.quantile(1), 100U);
  EXPECT_EQ(histogram.quantile(0), 1U);
}

TEST(Histogram, QuantilesAreWithinOnePartIn128OfTheSortedValues) {
  std::mt19937_64 random(7);
  std::lognormal_distribution<double> shape(10, 2);
  Histogram histogram;
  std::vector<std::uint64_t> values;
  for (int i = 0; i < 20'000; ++i) {
    values.push_back(static_cast<std::uint64_t>(shape(random)) + 1);
    histogram.record(values.back());
  }
  std::sort(values.begin(), values.end());
  for (const double share : {0.01, 0.25, 0.5, 0.9, 0.99, 0.999, 1.0}) {
    const auto rank = static_cast<std::size_t>(std::ceil(share * static_cast<double>(values.size())));
    const auto truth = static_cast<double>(values[rank - 1]);
    const auto said = static_cast<double>(histogram.quantile(share));
    EXPECT_GE(said, truth) << share;
    EXPECT_LE(said, truth * (1 + 1.0 / 128) + 1) << share;
  }
}

TEST(Histogram, BucketsCoverEveryValueOnceWithoutGaps) {
  Histogram histogram;
  for (int power = 0; power < Histogram::kMostBits; ++power) {
    const std::uint64_t value = std::uint64_t{1} << power;
    for (const std::uint64_t near : {value - 1, value, value + 1}) histogram.record(near);
  }
  std::uint64_t held = 0, previous = 0;
  for (const auto& bucket : histogram.buckets()) {
    EXPECT_LE(bucket.low, bucket.high);
    if (held != 0) {
      EXPECT_GT(bucket.low, previous);
    }
    previous = bucket.high;
    held += bucket.count;
  }
  EXPECT_EQ(held, histogram.count());
}

TEST(Histogram, TooLargeCountsAsTheLargestAndEmptyIsZero) {
  Histogram histogram;
  EXPECT_EQ(histogram.quantile(0.5), 0U);
  EXPECT_EQ(histogram.minimum(), 0U);
  histogram.record(~std::uint64_t{0});
  EXPECT_EQ(histogram.maximum(), Histogram::kMost);
  EXPECT_EQ(histogram.quantile(0.5), Histogram::kMost);
}

TEST(Histogram, AddIsTheSameAsRecordingBoth) {
  Histogram left, right, both;
  for (std::uint64_t value = 1; value < 3000; value += 7) {
    left.record(value);
    right.record(value * 1000, 3);
    both.record(value);
    both.record(value * 1000, 3);
  }
  left.add(right);
  EXPECT_EQ(left.count(), both.count());
  EXPECT_EQ(left.quantile(0.75), both.quantile(0.75));
  EXPECT_DOUBLE_EQ(left.mean(), both.mean());
}

}  // namespace
}  // namespace vtax
