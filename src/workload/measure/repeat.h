#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "core/result.h"
#include "core/statistics.h"
#include "workload/measure/side_report.h"

namespace vtax {

// How often a measurement is repeated: until the confidence interval of its first metric is tight, as
// netperf's -I and -i ask for it.
struct RepeatPolicy {
  int least = 1;
  int most = 1;
  double confidence = 0.95;
  double half_width = 0.025;  // of the mean: tight when the interval is within +- this part of it

  [[nodiscard]] Result<> check() const;  // 1 <= least <= most <= 1000, shares between 0 and 1
};

using Repeat = std::vector<SideReport>;  // the sides of one repeat; its first side's first metric is judged

struct Summary {
  std::string metric, unit;
  std::vector<double> values;  // one a repeat, in order
  double mean = 0, median = 0;
  std::optional<Interval> interval;  // of the mean (Student's t); nothing below two repeats
  double confidence = 0.95;
  double asked_half_width = 0;
  bool tight = false;
};

[[nodiscard]] Summary summarise(const RepeatPolicy& policy, const std::vector<Repeat>& repeats);

// Runs `once` until the policy is content. An error ends it: work that failed is not averaged with work that
// did not. `on_repeat` sees each as it is done. An interruption ends it as well; what was done before stays.
[[nodiscard]] Result<std::vector<Repeat>> repeat(const RepeatPolicy& policy,
                                                 const std::function<Result<Repeat>()>& once,
                                                 const std::function<void(const Repeat&)>& on_repeat = {});

}  // namespace vtax
