#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "query/cell.h"

// What a model learns from: cells of run files.
namespace vtax::predict {

// Figures of a cell, by name:
//   "cost"            of its median repetition, per unit of its work: instructions, on the real host ns
//   "layer NAME"      the same of one layer; they add up to "cost"
//   "rate"            Mb/s of payload, transactions a second: query/measured.h
//   "busy DOMAIN"     CPUs that worked for a domain ("Domain-0", "guest", "host", "peer"), of several guests
//   the sum; with kBesideGuest behind it what a KVM host did on its guests' CPUs
using Figures = std::map<std::string, double>;

inline constexpr std::string_view kBesideGuest = " beside guest";

struct KnownCell {
  Factors factors;  // canonical; without amounts of work (is_amount)
  Unit unit{};
  Figures figures;
  std::vector<double> samples;  // of "cost", one a repetition
};

// Time to learn goes by the cube of their number, memory by the square.
inline constexpr std::size_t kMostCells = 2000;

struct Source {
  std::string study, vtax_version, started_utc;
  std::uint64_t trials = 0;
  std::string digest;  // of the run's finished trials, as reports show it
};

struct KnownCells {
  std::vector<KnownCell> cells;
  std::vector<Source> sources;
  bool in_time = false;  // costs are ns of CPU time
};

[[nodiscard]] std::vector<Factors> factors_of(const KnownCells& known);

// What the same cell varies by: the median over cells of the standard deviation of their repetitions' cost,
// as a part of it.
[[nodiscard]] double floor_of(const KnownCells& known);

// Whether a factor says only how much is done: costs are per unit of work, so the model leaves it out.
[[nodiscard]] bool is_amount(const std::string& workload, const std::string& factor);

// Adds a run. A cell that is known already has its repetitions added. Errors: the run's units are not those
// of the runs before; no trial of it ended.
[[nodiscard]] Result<> add_run(RunReader& reader, KnownCells& known);

}  // namespace vtax::predict
