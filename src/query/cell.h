#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "core/named.h"
#include "core/result.h"
#include "query/hardware_cost.h"
#include "query/layer_costs.h"
#include "query/varying_factors.h"
#include "record/run_reader.h"
#include "record/trial.h"

// What every report shows: instructions by layer for each combination of factors, per unit of work.
namespace vtax {

// One window, reduced to what a table shows. The layers add up to `total`. With `in_time`, everything here
// that is called instructions is nanoseconds of CPU time; idle and other programs' time are then events.
struct WindowCost {
  bool in_time = false;
  LayerCosts instructions{};
  Named<LayerCosts> domains;       // the same by domain
  std::map<int, LayerCosts> cpus;  // and by CPU
  std::uint64_t total = 0;
  std::uint64_t peer = 0;       // outside the total
  Named<std::uint64_t> events;  // by kind: hypercalls, interrupts, ...
  Work work;
  std::vector<DeviceCount> devices;
  std::vector<GuestWork> guests;
  std::string digest;
  std::uint64_t window_ns = 0;   // by the machine's own clock
  std::vector<Busy> busy;        // of the lab; empty in files of a vtax whose lab had no time of its own
  std::vector<Waiting> waiting;  // by guest
  std::optional<HardwareCost> hardware = {};

  [[nodiscard]] std::uint64_t of(Layer layer) const { return instructions[static_cast<std::size_t>(layer)]; }
};

[[nodiscard]] WindowCost window_cost(const Trial& trial);

// Jain's index of the rates of guests that worked at once, each by its own time: transactions, or bytes where
// none were counted. Nothing of fewer than two.
[[nodiscard]] std::optional<double> fairness_of(const std::vector<GuestWork>& guests);

// The factor that `vtax run --vary` adds: "none", "layout-1", "seed-2", "timer-1".
inline constexpr const char* kVariation = "variation";

// The factors of a trial's cell: all but its variation.
[[nodiscard]] Factors cell_factors(const Trial& trial);

// A trial of a machine that was perturbed on purpose; it tells of a cell's sensitivity and is no repetition
// of it.
[[nodiscard]] bool is_perturbed(const Trial& trial);

struct PerturbedRun {
  std::string variation;
  std::uint64_t total = 0;
  Work work;
};

// All repetitions of one combination of factors.
struct Cell {
  Factors factors;
  std::vector<WindowCost> runs;       // every finished repetition, in the order of the plan
  std::optional<std::size_t> median;  // place in `runs`
  bool identical = true;              // all repetitions have the same digest
  std::vector<PerturbedRun> perturbed = {};

  // The repetition with the median cost (of an even number the cheaper of the two in the middle), whole, so
  // that its layers still add up; null when none ended.
  [[nodiscard]] const WindowCost* cost() const { return median ? &runs[*median] : nullptr; }
  [[nodiscard]] const std::string& platform() const { return factors.at("platform"); }
  [[nodiscard]] const std::string& workload() const { return factors.at("workload"); }
};

struct FailedTrial {
  std::uint64_t index = 0;
  int repetition = 1;
  Factors factors;
  std::string error;
};

// A run, reduced: memory grows with its cells, not with its trials' details.
struct RunCosts {
  std::vector<Cell> cells;  // in the order of the plan
  VaryingFactors varying;   // among the cells
  std::vector<FailedTrial> failed;
  std::uint64_t finished = 0;  // trials
  // Counts of the lab: each window's is exact. Of any machine a cell's repetitions are a sample, of the lab
  // of moments at which a trial may start (docs/design/repetitions.md).
  bool is_exact = true;
  // By `vtax simulate`: rates, busy CPUs and latencies are a model's, costs its prices times the work.
  bool is_simulated = false;
  // By platform the factors that mean nothing on it (study/meaning.h): its cells, which have their usual
  // values, stand for all of them.
  std::map<std::string, std::set<std::string>> set_aside = {};

  [[nodiscard]] bool is_set_aside(const std::string& platform, const std::string& factor) const;
};

// Makes them of the trials of a run, one after the other in the order of the plan.
class CostsOfTrials {
 public:
  explicit CostsOfTrials(const Run& header);
  void add(const Trial& trial);
  [[nodiscard]] RunCosts take();  // what was added; ends its use

 private:
  [[nodiscard]] Cell& cell_with(Factors factors);

  RunCosts costs_;
  std::unordered_multimap<std::size_t, std::size_t> places_;  // of cells, by a hash of their factors
};

[[nodiscard]] Result<RunCosts> read_costs(RunReader& reader);

// In the order of the plan; and as a list for people.
[[nodiscard]] std::vector<std::string> platforms_of(const RunCosts& costs);
[[nodiscard]] std::string platforms_text(const RunCosts& costs);

// Whether the run's costs are nanoseconds of CPU time: one run has one unit.
[[nodiscard]] bool in_time(const RunCosts& costs);
[[nodiscard]] std::string_view unit_of_cost(bool is_in_time);  // "instructions" or "ns of CPU time"
[[nodiscard]] std::string_view unit_of_cost(const RunCosts& costs);

// A unit of work that cost is given per. A packet is one of the system's outermost device, in or out; a KB is
// 1024 bytes of payload (netperf's service demand).
enum class Unit { packet, kilobyte, transaction };

[[nodiscard]] std::string_view name(Unit unit);

// What the window's cost may be given per: streams per KB and per packet, request/response per transaction.
// The first is the work that was asked for, the same on every platform. How many packets carry it is part of
// the answer: acknowledgements differ, and with segmentation offloads a packet inside one machine holds up to
// 64 KB.
[[nodiscard]] std::vector<Unit> units_of(const Work& work);

// `instructions` per unit of the work; nothing when the work has none of it.
[[nodiscard]] std::optional<double> per_unit(std::uint64_t instructions, const Work& work, Unit unit);

// The window's total per first unit of its work; per window where there is no work.
[[nodiscard]] double cost_per_unit(const WindowCost& cost);

// Whether a figure per packet says the same of both: their packets carry the same payload on average, within
// a quarter. With segmentation offloads a packet may be 64 KB, and beside one of 1.5 KB its cost means
// nothing.
[[nodiscard]] bool are_packets_alike(const Work& a, const Work& b);

// Cells that differ in nothing but the platform, native first. A cell for which factors were set aside is in
// every comparison that it stands for.
struct Comparison {
  Factors factors;  // without the platform
  std::vector<const Cell*> cells;

  [[nodiscard]] const Cell* native() const;
};

[[nodiscard]] std::vector<Comparison> comparisons_of(const RunCosts& costs);

// Total cost per unit relative to native, other factors equal (native itself: 1), of both the median run;
// nothing without both, and per packet where packets are not alike.
[[nodiscard]] std::optional<double> tax(const Comparison& comparison, const Cell& cell, Unit unit);

}  // namespace vtax
