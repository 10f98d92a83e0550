#include "core/two_samples.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace vtax {
namespace {

constexpr std::size_t kMostExact = 100;

// Twice the midrank of each value among both samples, those of `a` first: whole numbers, also with ties.
std::vector<std::size_t> doubled_ranks(const std::vector<double>& a, const std::vector<double>& b) {
  std::vector<double> all = a;
  all.insert(all.end(), b.begin(), b.end());
  std::vector<std::size_t> order(all.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(), [&](std::size_t i, std::size_t j) { return all[i] < all[j]; });
  std::vector<std::size_t> ranks(all.size());
  for (std::size_t from = 0; from < order.size();) {
    std::size_t to = from;
    while (to < order.size() && all[order[to]] == all[order[from]]) ++to;
    // Ranks from+1 to `to`: their mean is (from + 1 + to) / 2.
    for (std::size_t i = from; i < to; ++i) ranks[order[i]] = from + 1 + to;
    from = to;
  }
  return ranks;
}

// Of all ways to take n of the ranks, the share whose sum is at least as far from its mean as `sum`.
double exact_p(const std::vector<std::size_t>& ranks, std::size_t n, std::size_t sum) {
  const std::size_t whole = std::accumulate(ranks.begin(), ranks.end(), std::size_t{0});
  // ways[k][s]: how many subsets of k of the ranks seen so far have the sum s.
  std::vector<std::vector<double>> ways(n + 1, std::vector<double>(whole + 1, 0));
  ways[0][0] = 1;
  std::size_t seen = 0, reached = 0;
  for (const std::size_t rank : ranks) {
    ++seen;
    reached += rank;
    for (std::size_t k = std::min(n, seen); k > 0; --k) {
      for (std::size_t s = reached; s >= rank; --s) ways[k][s] += ways[k - 1][s - rank];
    }
  }
  // All doubled, and times the number of values, so that the mean is whole too.
  const auto distance = [&](std::size_t s) {
    const std::size_t scaled = s * ranks.size(), mean = n * whole;
    return scaled > mean ? scaled - mean : mean - scaled;
  };
  double all = 0, far = 0;
  for (std::size_t s = 0; s <= whole; ++s) {
    all += ways[n][s];
    if (distance(s) >= distance(sum)) far += ways[n][s];
  }
  return far / all;
}

double normal_p(const std::vector<double>& a, const std::vector<double>& b,
                const std::vector<std::size_t>& ranks, double doubled_sum) {
  const auto n = static_cast<double>(a.size()), m = static_cast<double>(b.size());
  const double all = n + m;
  std::vector<std::size_t> sorted = ranks;
  std::sort(sorted.begin(), sorted.end());
  double ties = 0;  // sum of t^3 - t
  for (auto from = sorted.begin(); from != sorted.end();) {
    const auto to = std::upper_bound(from, sorted.end(), *from);
    const auto t = static_cast<double>(to - from);
    ties += t * t * t - t;
    from = to;
  }
  const double u = doubled_sum / 2 - n * (n + 1) / 2;
  const double variance = n * m / 12 * (all + 1 - ties / (all * (all - 1)));
  if (variance <= 0) return 1;
  const double distance = std::max(0.0, std::abs(u - n * m / 2) - 0.5);
  return std::erfc(distance / std::sqrt(2 * variance));
}

}  // namespace

std::optional<double> mann_whitney_p(const std::vector<double>& a, const std::vector<double>& b) {
  if (a.empty() || b.empty()) return std::nullopt;
  const auto ranks = doubled_ranks(a, b);
  const std::size_t sum =
      std::accumulate(ranks.begin(), ranks.begin() + static_cast<std::ptrdiff_t>(a.size()), std::size_t{0});
  if (ranks.size() <= kMostExact) return exact_p(ranks, a.size(), sum);
  return normal_p(a, b, ranks, static_cast<double>(sum));
}

namespace {

// The most ordered pairs that may lie beyond the interval's end: the largest u with 2 P(U <= u) < the level,
// U of samples of one population without ties. -1: even 0 is too many.
long most_beyond(std::size_t n, std::size_t m) {
  if (n + m > kMostExact) {
    const auto a = static_cast<double>(n), b = static_cast<double>(m);
    constexpr double kZ = 1.959964;
    return static_cast<long>(std::floor(a * b / 2 - kZ * std::sqrt(a * b * (a + b + 1) / 12) - 0.5));
  }
  // ways[k][u]: how many subsets of k of the ranks seen so far have U = u.
  std::vector<std::vector<double>> ways(n + 1, std::vector<double>(n * m + 1, 0));
  ways[0][0] = 1;
  for (std::size_t rank = 1; rank <= n + m; ++rank) {
    for (std::size_t k = std::min(n, rank); k > 0; --k) {
      const std::size_t adds = rank - k;  // pairs that the k-th smallest of the subset wins
      if (adds > m) continue;
      for (std::size_t u = n * m; u + 1 > adds; --u) ways[k][u] += ways[k - 1][u - adds];
    }
  }
  double all = 0;
  for (const double count : ways[n]) all += count;
  double below = 0;
  long most = -1;
  for (std::size_t u = 0; u <= n * m; ++u) {
    below += ways[n][u];
    if (2 * below / all >= kSignificance) break;
    most = static_cast<long>(u);
  }
  return most;
}

}  // namespace

std::optional<Interval> ratio_interval(const std::vector<double>& a, const std::vector<double>& b) {
  const auto is_positive = [](double value) { return value > 0; };
  if (a.empty() || b.empty() || !std::all_of(a.begin(), a.end(), is_positive) ||
      !std::all_of(b.begin(), b.end(), is_positive))
    return std::nullopt;
  const long beyond = most_beyond(a.size(), b.size());
  if (beyond < 0) return std::nullopt;
  std::vector<double> ratios;
  for (const double below : a)
    for (const double above : b) ratios.push_back(above / below);
  std::sort(ratios.begin(), ratios.end());
  const auto place = static_cast<std::size_t>(beyond);
  return Interval{ratios[place], ratios[ratios.size() - 1 - place]};
}

double least_mann_whitney_p(std::size_t a, std::size_t b) {
  double ways = 1;  // a + b choose a
  for (std::size_t i = 1; i <= a; ++i) ways *= static_cast<double>(b + i) / static_cast<double>(i);
  return std::min(1.0, 2 / ways);
}

std::optional<double> cliffs_delta(const std::vector<double>& a, const std::vector<double>& b) {
  if (a.empty() || b.empty()) return std::nullopt;
  std::vector<double> sorted = a;
  std::sort(sorted.begin(), sorted.end());
  double sum = 0;
  for (const double value : b) {
    const auto [low, high] = std::equal_range(sorted.begin(), sorted.end(), value);
    sum += static_cast<double>(low - sorted.begin()) - static_cast<double>(sorted.end() - high);
  }
  return sum / static_cast<double>(a.size()) / static_cast<double>(b.size());
}

const char* effect_size(double delta) {
  const double size = std::abs(delta);
  if (size < 0.147) return "negligible";
  if (size < 0.33) return "small";
  return size < 0.474 ? "medium" : "large";
}

TwoSamples compare_samples(const std::vector<double>& before, const std::vector<double>& after) {
  return {mann_whitney_p(before, after), cliffs_delta(before, after),
          least_mann_whitney_p(before.size(), after.size()) >= kSignificance};
}

}  // namespace vtax
