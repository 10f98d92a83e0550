#pragma once

#include <ostream>
#include <vector>

#include "query/cell.h"
#include "report/answer.h"

namespace vtax {

// How much of a run its table shows.
enum class TableDetail {
  first,  // the answer, a line a combination, and who pays in the typical ones
  all,    // everything that is known of every cell
};

// A line for each combination with the tax of each platform, or without native its cost, per unit of its
// work; of each platform the most and the least marked. With `first` per the first unit alone, and of many
// combinations the dearest, the cheapest and the typical one.
void print_overview(std::ostream& out, const RunCosts& costs, const std::vector<Comparison>& comparisons,
                    const std::vector<WorkloadAnswer>& answers, TableDetail detail);

}  // namespace vtax
