#pragma once

#include <cstddef>
#include <optional>
#include <vector>

// For quantities that vary from run to run: time on the measuring computer, counts on a real host, and in the
// lab what the moment changes at which a trial starts.
namespace vtax {

// The middle value, or the mean of the two in the middle; nothing of no values.
[[nodiscard]] std::optional<double> median(std::vector<double> values);

[[nodiscard]] std::optional<double> mean(const std::vector<double>& values);

// The middle value, of an even number the lower of the two: one that was measured, so that what belongs to it
// can be shown with it. Nothing of no values.
[[nodiscard]] std::optional<double> lower_median(std::vector<double> values);

struct Interval {
  double low = 0;
  double high = 0;

  bool operator==(const Interval&) const = default;
};

// A confidence interval for the median of what the values are drawn from, without any assumption on its
// shape: from the k-th smallest to the k-th largest value, with the largest k for which
//   1 - 2 P(B <= k-1) >= confidence,   B ~ Binomial(n, 1/2)
// (David, Nagaraja: Order Statistics, 7.1). Nothing when n is too small for any k: below 6 values for 0.95.
[[nodiscard]] std::optional<Interval> median_interval(std::vector<double> values, double confidence = 0.95);

// What reports show of a sample: the interval of the median at 95 %, and of five values, which have none at
// 95 %, from the least to the greatest, at 15/16 (93.75 %). Nothing below five.
struct SampleInterval {
  Interval range;
  double confidence = 0;  // 0.95 stands for "0.95 or more"
};
inline constexpr std::size_t kLeastForInterval = 5;
[[nodiscard]] std::optional<SampleInterval> sample_interval(const std::vector<double>& values);

// A confidence interval for the mean of what the values are drawn from, if that is near a normal
// distribution:
//   mean +- t(n-1) s / sqrt(n),   s the sample's standard deviation
// (Student 1908; netperf's -I). Nothing below two values.
[[nodiscard]] std::optional<Interval> mean_interval(const std::vector<double>& values,
                                                    double confidence = 0.95);

// Jain's fairness index of shares of one resource (Jain, Chiu, Hawe: DEC-TR-301, 1984):
//   (sum x)^2 / (n sum x^2)
// 1: all equal; 1/n: one has everything. Nothing of no shares, of a negative one, or where all are 0.
[[nodiscard]] std::optional<double> fairness_index(const std::vector<double>& shares);

// The value that a t-distributed variable stays below with probability `share` (0.5 < share < 1), for
// `freedom` >= 1 degrees; to 1e-9 or better.
[[nodiscard]] double student_quantile(double share, int freedom);

}  // namespace vtax
