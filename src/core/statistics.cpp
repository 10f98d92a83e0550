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

}  // namespace vtax
