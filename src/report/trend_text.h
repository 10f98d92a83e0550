#pragma once

#include <ostream>

#include "report/comparison_summary.h"
#include "report/trend.h"

namespace vtax {

// For people: what became of each run beside the first, then a line a cell. Of many runs the last ones.
void write_trend_summary(const RunTrend& trend, CellsShown shown, std::ostream& out);

// The same with all runs as GitHub's and GitLab's Markdown.
void write_trend_markdown(const RunTrend& trend, CellsShown shown, std::ostream& out);

// docs/report-schema.md, "vtax compare --format json".
void write_trend_json(const RunTrend& trend, std::ostream& out);

// One page that needs no network and no script: what became of each run, a line over the runs for each
// combination, and every cell in a table. Of two runs or more.
void write_trend_page(const RunTrend& trend, std::ostream& out);

// "+2.31 %", "~", "identical", or "-" where the cell did not end.
[[nodiscard]] std::string trend_mark(const CellChange* change);

// The cells that are listed: beyond some thirty those alone of which a run shows a difference.
[[nodiscard]] std::vector<TrendCell> listed_cells(const RunTrend& trend, CellsShown shown);

}  // namespace vtax
