#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/result.h"
#include "core/statistics.h"
#include "core/two_samples.h"
#include "query/cell.h"
#include "record/run_reader.h"

// Two runs side by side: what did a change of the kernel, the hypervisor or the settings do to the cost?
namespace vtax {

// Two builds of one source differ by this much in where things lie alone: of 60 cells of two such builds the
// test told 9 apart, the intervals of all but one of them reaching to within this (docs/benchmarks.md, "Two
// builds of one source"; bench/same_twice.sh). A change whose interval does is not called one.
inline constexpr double kLayoutMargin = 0.0075;

// A count before (run A) and after (run B).
struct Change {
  std::string name;
  std::uint64_t before = 0;
  std::uint64_t after = 0;

  [[nodiscard]] bool is_change() const { return before != after; }
  [[nodiscard]] std::uint64_t size() const { return before > after ? before - after : after - before; }
  // (after - before) / before; nothing when there was none before.
  [[nodiscard]] std::optional<double> relative() const;
};

// A function's instructions, and how often it was called where both runs counted that: whether it is dearer
// per call or called more often.
struct FunctionChange : Change {
  std::optional<std::uint64_t> calls_before = {}, calls_after = {};

  // Of the calls, and of the instructions per call; nothing where calls are not known or there were none
  // before.
  [[nodiscard]] std::optional<double> relative_calls() const;
  [[nodiscard]] std::optional<double> relative_per_call() const;
};

// One combination of factors that ended in both runs; of repetitions the median one (query/cell.h).
struct CellChange {
  Factors factors;
  WindowCost before, after;
  std::vector<Change> layers{};             // by kLayers; instructions
  std::vector<FunctionChange> functions{};  // only those that changed, the greatest change first
  // The repetitions of both have the same digests and did the same work.
  bool is_identical = false;
  TwoSamples samples = {};  // of the repetitions' cost per unit of work
  // By what factor the second run is dearer, at 95 % (ratio_interval of core/two_samples.h); nothing where
  // the repetitions are too few.
  std::optional<Interval> ratio = {};
  // Where a run has perturbed boots (`--vary`): the range of the total per unit over them.
  std::optional<Interval> sensitivity_before = {}, sensitivity_after = {};

  // Whether the two runs tell a difference of the total: by the test of their repetitions, beyond
  // kLayoutMargin. Where they are too few for it, perturbed boots in both runs decide, when the two ranges
  // have nothing in common; without those the medians do, so that a gate does not open for want of
  // repetitions.
  [[nodiscard]] bool is_shown() const;

  // Total cost per unit of work, first unit of units_of(); the instructions' own change when there is no
  // work.
  [[nodiscard]] double before_per_unit() const;
  [[nodiscard]] double after_per_unit() const;
  [[nodiscard]] std::string unit() const;
  // Of the total per unit; 0.02 is 2 % dearer. Nothing when it was 0 before.
  [[nodiscard]] std::optional<double> relative() const;
  // relative() where the difference is shown, else 0; infinite when something cost nothing before.
  [[nodiscard]] double rise() const;
};

struct RunComparison {
  std::vector<std::string> context;  // what differs between the runs themselves: versions, settings
  std::vector<CellChange> cells;     // in the order of A's plan
  std::vector<std::string> only_before,
      only_after;  // cells that only one run has, or that failed in the other
  std::vector<std::string>
      failed_after;  // of only_before those that the second run has, but that failed there
  std::vector<std::string> partly_failed_after;  // compared cells of which a repetition failed there
  // Trials that were planned and not run; a gate cannot rest on such a run.
  std::uint64_t not_run_before = 0, not_run_after = 0;
};

// Matches cells by equal factors.
[[nodiscard]] Result<RunComparison> compare_runs(RunReader& before, RunReader& after);

// The greatest relative() of all cells whose difference is shown, 0 when none became dearer; infinite when
// something cost nothing before.
[[nodiscard]] double worst_regression(const RunComparison& comparison);

// Cells that rose by no more than `limit`, but whose interval reaches above it: more repetitions may tell.
[[nodiscard]] std::size_t undecided_cells(const RunComparison& comparison, double limit);

}  // namespace vtax
