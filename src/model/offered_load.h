#pragma once

#include <algorithm>
#include <optional>
#include <ostream>
#include <string>
#include <vector>

#include "model/capacity.h"

// Offered against possible: what happens to work that comes at a set rate, by the utilisation law. At the
// rate X a station that is busy for D_k a unit is busy for X D_k of the time. Up to the knee, 1 / max D_k,
// all that is offered is done; beyond, 1 / max D_k at most. The law takes D_k as that of the measured window:
// it knows nothing of work that is thrown away after it has cost something (receive livelock, a SYN queue
// that overflows), which lets real systems fall below the flat line.
namespace vtax {

// How much work a cell is offered, in the unit of Capacity::rate: `connections_per_second` of the workload
// http, `rate_mbps` of udp-stream. Nothing where work comes as fast as it is done.
[[nodiscard]] std::optional<double> offered_rate(const Cell& cell);

struct OfferedLoad {
  double offered = 0;  // transactions/s or Mb/s
  double most = 0;     // the knee
  Unit unit{};
  std::string busiest;      // the station that is full first
  double busiest_part = 0;  // how busy it is: 1, all the time
  double cpus = 0;          // of the system's CPUs together, in CPUs: 1.3

  [[nodiscard]] double possible() const { return std::min(offered, most); }
  [[nodiscard]] bool is_beyond() const { return offered > most; }
};

// Nothing where no rate is offered, or no work was counted.
[[nodiscard]] std::optional<OfferedLoad> offered_load(const Cell& cell, const MachineSpeed& speed);

// Cells that differ in what they are offered, and in the platform: one curve a platform.
struct OfferedSeries {
  Factors factors;  // without the platform and what is offered
  std::vector<const Cell*> cells;
};

// Those with at least two rates, in the order of the run.
[[nodiscard]] std::vector<OfferedSeries> offered_series(const RunCosts& costs);

// The section of the terminal's report; nothing where there is no series.
void print_offered(std::ostream& out, const RunCosts& costs, const MachineSpeed& speed);

}  // namespace vtax
