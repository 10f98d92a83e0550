#pragma once

#include <string>

#include "query/cell.h"

// What a cell's repetitions and perturbed machines say, and what a figure of it cannot say, in sentences; ""
// where there is nothing to say. `cell` has a cost.
namespace vtax {

// "5 starts, 410 to 422 per KB, median 415, 94 % interval 410 to 422; tax ...; against native: ..."
[[nodiscard]] std::string repetitions_text(const RunCosts& costs, const Comparison& comparison,
                                           const Cell& cell, Unit unit);

// "sensitivity: 410 to 422 per KB (-1.2 to +1.7 %) with layout 2 times perturbed; tax 3.9 to 4.2"
[[nodiscard]] std::string sensitivity_text(const Comparison& comparison, const Cell& cell, Unit unit);

// Why a figure per packet has no tax.
[[nodiscard]] std::string unlike_packets_text(const Comparison& comparison, const Cell& cell);

// Of the real host, where the time of programs is so short that the kernel's ticks decide it.
[[nodiscard]] std::string ticks_text(const Cell& cell);

}  // namespace vtax
