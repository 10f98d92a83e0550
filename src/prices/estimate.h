#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "core/result.h"
#include "prices/price_list.h"
#include "query/cell.h"
#include "record/run_reader.h"

// What a run of the lab would take at a processor's prices: an estimate, never a measurement.
namespace vtax::prices {

struct EstimatedTime {
  double ns = 0;
  double error_ns = 0;  // as far as the prices may be off, all at once
};

struct EstimatedWindow {
  std::map<Layer, EstimatedTime> layers;       // instructions and events of those who work
  std::map<std::string, EstimatedTime> parts;  // the same by what it is for: "instructions", or an event
  EstimatedTime total;
  std::uint64_t instructions = 0;  // that have a price
  std::uint64_t unpriced_instructions =
      0;  // `uncharged`, or of a layer without one; idle loops are not in it
  std::set<std::string> unpriced_events{};  // that happened, and have no price
};

[[nodiscard]] EstimatedWindow estimate(const Trial& trial, const PriceList& prices);

struct EstimatedCell {
  Factors factors;
  Unit unit{};
  double units = 0;        // of the window's work
  EstimatedWindow window;  // of the repetition whose total is the middle one
};

// Cells with work, in the order of the plan. Error (usage): the run is of a host, whose costs are time, or
// simulated.
[[nodiscard]] Result<std::vector<EstimatedCell>> estimate_cells(RunReader& reader, const PriceList& prices);

}  // namespace vtax::prices
