#pragma once

#include <optional>
#include <vector>

// For quantities that vary from run to run (time on the measuring computer, counts on a real host). The lab's
// counts are exact and need none of this.
namespace vtax {

// The middle value, or the mean of the two in the middle; nothing of no values.
[[nodiscard]] std::optional<double> median(std::vector<double> values);

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

}  // namespace vtax
