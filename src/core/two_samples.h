#pragma once

#include <cstddef>
#include <optional>
#include <vector>

#include "core/statistics.h"

// Do two samples differ, and by how much? Of quantities that vary from run to run, without an assumption on
// their shape. Every value counts: none is dropped as an outlier.
namespace vtax {

// The two-sided p of Mann, Whitney (Annals of Mathematical Statistics 18, 1947): how probable samples are
// that differ at least as much as these if both come from one population. Exact, also with ties, where it is
// counted over all ways of dealing the joint midranks out to the two samples (a permutation test of the rank
// sum); above 100 values in all the normal approximation with the correction for ties and continuity. Nothing
// when a sample is empty.
[[nodiscard]] std::optional<double> mann_whitney_p(const std::vector<double>& a,
                                                   const std::vector<double>& b);

// The least p that samples of these sizes can give: 2 / (a + b choose a). Above 0.05 no difference, however
// great, is shown.
[[nodiscard]] double least_mann_whitney_p(std::size_t a, std::size_t b);

// Cliff's delta (Psychological Bulletin 114, 1993): P(b > a) - P(b < a), from -1 to 1; 0: neither tends to be
// greater. Nothing when a sample is empty.
[[nodiscard]] std::optional<double> cliffs_delta(const std::vector<double>& a, const std::vector<double>& b);

// "negligible", "small", "medium" or "large", by the limits 0.147, 0.33 and 0.474 (Romano and others, 2006).
[[nodiscard]] const char* effect_size(double delta);

// What is usual, and what vtax reports as shown.
inline constexpr double kSignificance = 0.05;

// By what factor `b` is greater than `a`: the interval of all factors at which a Mann-Whitney test of `a`
// times the factor against `b` shows no difference, so that 1 is outside exactly when the test shows one
// (Moses; Hollander, Wolfe: Nonparametric Statistical Methods, 4.3, on logarithms). At 95 % or more. Nothing
// where the samples are too few (4 of each do), or a value is not above 0.
[[nodiscard]] std::optional<Interval> ratio_interval(const std::vector<double>& a,
                                                     const std::vector<double>& b);

// Both samples can show a difference at all, and this one does.
struct TwoSamples {
  std::optional<double> p = {}, delta = {};
  bool is_too_few = false;  // even the greatest difference would not be shown
  [[nodiscard]] bool is_shown() const { return p && *p < kSignificance; }
};

[[nodiscard]] TwoSamples compare_samples(const std::vector<double>& before, const std::vector<double>& after);

}  // namespace vtax
