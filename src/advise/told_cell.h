#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>

#include "core/result.h"
#include "predict/model.h"

// What is known of a cell's cost, by a model or as it was measured.
namespace vtax::advise {

// Costs are instructions per unit of work of all the cell's guests together, without the peer's.
struct ToldCell {
  Unit unit{};
  bool is_measured = false;
  predict::Reach reach{};                // of one that was not
  predict::Estimate cost;                // as reports give it: with what idle loops execute
  std::map<std::string, double> layers;  // by layer's name; they add up to `cost`
  // What keeps CPUs busy, by whose they are. Native systems and containers have no guests: all is the host's.
  double of_driver = 0, of_guests = 0, of_peer = 0;
  std::optional<double> rate;  // as fast as it goes, at the model's speed: Mb/s or transactions a second
};

using CellTeller = std::function<Result<ToldCell>(const Factors&)>;

// Of a model of the lab, which outlives it. Error: a model of a host's time, whose stations nobody knows.
[[nodiscard]] Result<CellTeller> teller_of(const predict::Model& model);

// Of the cells of a run alone, as they were measured; no promise of any other. `known` outlives it. Error: as
// above.
[[nodiscard]] Result<CellTeller> teller_of(const predict::KnownCells& known);

// The speed of the lab's CPUs that all cells were measured at; 0 where they differ.
[[nodiscard]] int cpu_mips_of(const predict::KnownCells& known);

// The cell with the speed and link that all of the known ones have, where they have one: a server's own are
// reckoned with, not measured with.
[[nodiscard]] Factors as_measured(Factors cell, const predict::KnownCells& known);

// Units of work a second: KB, transactions.
[[nodiscard]] double units_per_second(Unit unit, double rate);

}  // namespace vtax::advise
