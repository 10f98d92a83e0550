#pragma once

#include <optional>
#include <string>
#include <vector>

#include "query/find_cell.h"
#include "query/rate.h"

// The rate that a window's costs allow. With D_k the time that station k (a CPU, the wire) is busy for one
// unit of work, no rate X can be above 1 / max D_k, where the busiest one is busy all the time; at X the
// others are busy for X D_k (Denning and Buzen, "The Operational Analysis of Queueing Network Models", 1978:
// utilisation law and asymptotic bound). It is reached by work that never waits for an answer, and by
// requests when enough of them are under way. Latency and windows can only keep the rate below it. D_k is
// that of the measured window: batching changes with the rate.
namespace vtax {

// How quick the stations are: a study's [speed], or the real host's own clock.
struct MachineSpeed {
  double cpu_per_second = 0;        // what a CPU spends in a second, in the run's unit of cost
  double link_bits_per_second = 0;  // 0: no limit by the wire
  std::string basis;                // where that comes from, in words
};

// Nothing where the run has no speed; an obstacle where its calibration fails.
[[nodiscard]] std::optional<Found<MachineSpeed>> machine_speed(const Run& header, const RunCosts& costs);

struct Station {
  std::string name;             // "the driver domain's CPU 0", "the wire"
  double utilisation = 0;       // at the capacity; 1: busy all the time
  bool is_systems_cpu = false;  // of the system under test: neither the peer's nor the wire
};

struct Capacity {
  Unit unit{};
  double units_per_second = 0;
  std::vector<Station> stations;  // the busiest first

  // Mb/s of payload (1e6 bits), or transactions or packets per second.
  [[nodiscard]] double rate() const;
};

// Nothing where no work was counted.
[[nodiscard]] std::optional<Capacity> capacity(const WindowCost& cost, const MachineSpeed& speed);

// "bound 837 Mb/s, where the driver's CPU 0 would be busy all the time (the wire 89 %, the guest's CPU 2 58
// %)".
[[nodiscard]] std::string capacity_text(const Capacity& capacity, const std::string& workload);

// On the real host after "ran at 820 Mb/s; ". Where that is above the bound, the window was too short for
// its readings of CPU time, and that is what it says.
[[nodiscard]] std::string rates_text(const WindowCost& cost, const Capacity& capacity,
                                     const std::string& workload);

}  // namespace vtax
