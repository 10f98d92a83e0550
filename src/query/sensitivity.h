#pragma once

#include <optional>
#include <string>

#include "core/statistics.h"
#include "query/cell.h"

// An exact count can still be an accident: of where code and data lie, of hash seeds, of when timers tick.
// `vtax run --vary` boots perturbed machines, and their counts' range says how much of a figure is such an
// accident. It is no confidence interval: nothing was drawn at random, and more boots can only widen it.
namespace vtax {

// The least and the greatest total per first unit of work, the unperturbed run with them; nothing without
// perturbed runs.
[[nodiscard]] std::optional<Interval> sensitivity(const Cell& cell);

// The same of the tax, each perturbed run relative to native's of the same variation.
[[nodiscard]] std::optional<Interval> tax_sensitivity(const Comparison& comparison, const Cell& cell);

// "layout 2 times, seed 1 time".
[[nodiscard]] std::string variations_text(const Cell& cell);

}  // namespace vtax
