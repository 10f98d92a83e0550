#pragma once

#include <string>
#include <vector>

#include "core/result.h"
#include "query/comparison.h"
#include "record/run_reader.h"
#include "report/figure.h"

// Several runs in a row, such as of one tree's revisions: each beside the first.
namespace vtax {

struct RunTrend {
  std::vector<std::string> names;            // of the runs, as people see them; two or more
  std::vector<RunComparison> against_first;  // of the second, the third, ... with the first
};

// One name for each of `runs`.
[[nodiscard]] Result<RunTrend> trend_of(std::vector<std::string> names, std::vector<RunReader>& runs);

// A cell that ended in the first run, and in at least one of the others.
struct TrendCell {
  const CellChange* any = nullptr;           // for what all share: factors, unit, the first run's cost
  std::vector<const CellChange*> changes{};  // by `against_first`; null where it did not end
};

// In the order of the first run's plan.
[[nodiscard]] std::vector<TrendCell> cells_of(const RunTrend& trend);

// The cost of each cell in units of the first run's, over the runs: a panel for each combination, those first
// that changed most, of as many as a page holds. Nothing where no cell shows a difference.
[[nodiscard]] std::optional<Figure> trend_figure(const RunTrend& trend);

}  // namespace vtax
