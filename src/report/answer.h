#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/statistics.h"
#include "query/cell.h"
#include "record/trial.h"

// What a run answers, for the first screen of every report: by workload each platform's factor for the
// typical combination, then the range.
namespace vtax {

// Of one platform, in times native's cost, or without native in units of cost.
struct PlatformAnswer {
  const Cell* cell = nullptr;  // of the typical combination
  double value = 0;
  std::optional<Interval> interval = {};  // of a tax, where the repetitions give one
  double least = 0, most = 0;             // over all combinations
  const Comparison *least_of = nullptr, *most_of = nullptr;
};

// The typical combination is the one whose figures are nearest to each platform's median over all
// combinations of the workload: the least sum of |log(value / median)|, of those that have the most
// platforms; of several the first in the plan.
struct WorkloadAnswer {
  const Comparison* typical = nullptr;
  Unit unit = Unit::packet;  // the first of its work
  bool is_tax = false;       // else there is no native to relate to
  std::size_t combinations = 0;
  std::vector<PlatformAnswer> platforms;  // without native where it is the base; the typical combination's

  [[nodiscard]] const PlatformAnswer& dearest() const;
};

// In the order of the plan; of workloads of which no work was counted nothing.
[[nodiscard]] std::vector<WorkloadAnswer> answers_of(const RunCosts& costs,
                                                     const std::vector<Comparison>& comparisons);

// In words. A line is a platform's, or a claim's that fell.
struct AnswerText {
  std::string lead;
  std::vector<std::pair<std::string, std::string>> lines = {};
  bool is_failure = false;  // it tells what went wrong
};

// What keeps it from being an answer stands first: trials that failed; then a paper's verdicts; then each
// workload.
[[nodiscard]] std::vector<AnswerText> answer(const Run& header, const RunCosts& costs,
                                             const std::vector<Comparison>& comparisons);

}  // namespace vtax
