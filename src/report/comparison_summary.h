#pragma once

#include <ostream>

#include "query/comparison.h"

namespace vtax {

// How much of a comparison a summary lists.
enum class CellsShown {
  few,  // beyond some thirty cells those alone whose difference is shown
  all,
};

// For people, 80 columns: what differs between the runs themselves, how many cells became dearer or cheaper,
// the worst with the functions behind it, and a line a cell.
void write_comparison_summary(const RunComparison& comparison, CellsShown shown, std::ostream& out);

// The same as a comment of a review, in GitHub's and GitLab's Markdown.
void write_comparison_markdown(const RunComparison& comparison, CellsShown shown, std::ostream& out);

}  // namespace vtax
