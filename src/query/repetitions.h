#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/statistics.h"
#include "core/two_samples.h"
#include "query/cell.h"

// What a cell's repetitions say of its cost and its tax. Repetitions are a sample, on the real host of what
// varies from run to run, in the lab of the moments at which a trial may start (docs/design/repetitions.md).
namespace vtax {

// The finished repetitions' totals per unit of their work, in the order of the plan; of those that have it.
[[nodiscard]] std::vector<double> samples_of(const Cell& cell, Unit unit);
// Per first unit of the work, or per window where there is none.
[[nodiscard]] std::vector<double> samples_of(const Cell& cell);

// Of the cost's median; nothing below five repetitions.
[[nodiscard]] std::optional<SampleInterval> cost_interval(const Cell& cell, Unit unit);

// How the cell's repetitions compare with native's; nothing for native itself and without both.
[[nodiscard]] std::optional<TwoSamples> against_native(const Comparison& comparison, const Cell& cell);

// Of the tax, at 95 %: without 1 in it exactly where the repetitions tell the cell from native. Nothing where
// they are too few (below four of each), for native itself and where there is no tax.
[[nodiscard]] std::optional<Interval> tax_interval(const Comparison& comparison, const Cell& cell, Unit unit);

// "~4.19" where the repetitions show no difference to native, "4.19?" where they are too few to, "-" without.
[[nodiscard]] std::string marked_tax(const Comparison& comparison, const Cell& cell, Unit unit);

// What the marks mean, of those that the run's tables show; "" for none.
[[nodiscard]] std::string meaning_of_marks(const std::vector<Comparison>& comparisons);

// "95 % interval", of five values "94 % interval".
[[nodiscard]] std::string name_of(const SampleInterval& interval);

}  // namespace vtax
