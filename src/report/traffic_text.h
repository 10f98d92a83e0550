#pragma once

#include <string>
#include <vector>

#include "query/cell.h"

// What went through a cell's system, and who of several did what, in sentences. `cell` has a cost.
namespace vtax {

// "6,206 packets (host eth0 in 5,794 out 412)" and "per KB: interrupts 0.25, ...": what the devices saw, so
// that like is compared with like, and the events; those that were watched for and did not happen in one list
// behind them. Absent ones are unknown.
[[nodiscard]] std::vector<std::string> traffic_text(const Cell& cell, Unit unit);

// Of several guests what each did, at which rate, and what it cost; "" for one.
[[nodiscard]] std::string guests_text(const Cell& cell, Unit unit);

// Of several domains in the driver's layer what each cost, with the hypervisor's work on its account; else
// "".
[[nodiscard]] std::string drivers_text(const Cell& cell, Unit unit);

}  // namespace vtax
