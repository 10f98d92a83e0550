#include "core/statistics.h"

#include <algorithm>
#include <cmath>

namespace vtax {

std::optional<double> median(std::vector<double> values) {
  if (values.empty()) return std::nullopt;
  std::sort(values.begin(), values.end());
  const std::size_t half = values.size() / 2;
  return values.size() % 2 == 1 ? values[half] : (values[half - 1] + values[half]) / 2;
}

std::optional<double> lower_median(std::vector<double> values) {
  if (values.empty()) return std::nullopt;
  std::sort(values.begin(), values.end());
  return values[(values.size() - 1) / 2];
}

std::optional<SampleInterval> sample_interval(const std::vector<double>& values) {
  for (const double confidence : {0.95, 1 - 2.0 / 32}) {
    if (const auto range = median_interval(values, confidence)) return SampleInterval{*range, confidence};
  }
  return std::nullopt;
}

std::optional<Interval> median_interval(std::vector<double> values, double confidence) {
  std::sort(values.begin(), values.end());
  const auto n = static_cast<double>(values.size());
  double log_choose = 0;  // ln of n over k-1
  double below = 0;       // P(B <= k-1)
  std::size_t best = 0;
  for (std::size_t k = 1; k <= values.size() / 2; ++k) {
    below += std::exp(log_choose - n * std::log(2.0));
    if (1 - 2 * below < confidence) break;
    best = k;
    const auto places = static_cast<double>(k);
    log_choose += std::log((n - places + 1) / places);
  }
  if (best == 0) return std::nullopt;
  return Interval{values[best - 1], values[values.size() - best]};
}

std::optional<double> mean(const std::vector<double>& values) {
  if (values.empty()) return std::nullopt;
  double sum = 0;
  for (const double value : values) sum += value;
  return sum / static_cast<double>(values.size());
}

std::optional<double> fairness_index(const std::vector<double>& shares) {
  double sum = 0, squares = 0;
  for (const double share : shares) {
    if (share < 0) return std::nullopt;
    sum += share;
    squares += share * share;
  }
  if (squares == 0) return std::nullopt;
  return sum * sum / (static_cast<double>(shares.size()) * squares);
}

namespace {

// P(T <= t) for t >= 0 and whole degrees of freedom, as a finite sum (Abramowitz, Stegun 26.7.3 and 26.7.4).
double student_below(double t, int freedom) {
  const double theta = std::atan(t / std::sqrt(freedom));
  const double cos2 = std::cos(theta) * std::cos(theta);
  const bool odd = freedom % 2 == 1;
  double term = odd ? std::cos(theta) : 1, sum = 0;
  for (int k = odd ? 1 : 0; k <= freedom - 2; k += 2) {
    sum += term;
    term *= cos2 * (k + 1) / (k + 2);
  }
  constexpr double kPi = 3.141592653589793;
  const double within =
      odd ? 2 / kPi * (theta + std::sin(theta) * sum) : std::sin(theta) * sum;  // P(|T| <= t)
  return 0.5 + within / 2;
}

}  // namespace

double student_quantile(double share, int freedom) {
  double low = 0, high = 1;
  while (student_below(high, freedom) < share && high < 1e12) high *= 2;
  for (int i = 0; i < 200; ++i) {
    const double middle = (low + high) / 2;
    (student_below(middle, freedom) < share ? low : high) = middle;
  }
  return high;
}

std::optional<Interval> mean_interval(const std::vector<double>& values, double confidence) {
  if (values.size() < 2) return std::nullopt;
  const double middle = *mean(values), n = static_cast<double>(values.size());
  double squares = 0;
  for (const double value : values) squares += (value - middle) * (value - middle);
  const double error = std::sqrt(squares / (n - 1) / n);
  const double half = student_quantile(0.5 + confidence / 2, static_cast<int>(values.size()) - 1) * error;
  return Interval{middle - half, middle + half};
}

}  // namespace vtax
