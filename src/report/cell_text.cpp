#include "report/cell_text.h"

#include <utility>

#include "query/measured.h"
#include "report/repeated_text.h"
#include "report/traffic_text.h"

namespace vtax {
namespace {

// The rate that the cost allows, where the window's own clock does not tell; and on the real host both.
std::string bound_text(const Cell& cell, const std::optional<Found<MachineSpeed>>& speed) {
  if (!speed || !*speed || !cell.cost()->busy.empty()) return "";
  const auto allowed = capacity(*cell.cost(), **speed);
  return allowed ? rates_text(*cell.cost(), *allowed, cell.workload()) : "";
}

}  // namespace

std::vector<Sentence> sentences_of(const RunCosts& costs, const Comparison& comparison, const Cell& cell,
                                   Unit unit, const std::optional<Found<MachineSpeed>>& speed) {
  std::vector<Sentence> out;
  if (cell.cost() == nullptr) return out;
  const auto add = [&](About about, std::string text) {
    if (!text.empty()) out.push_back({about, std::move(text)});
  };
  for (std::string& text : traffic_text(cell, unit)) add(About::traffic, std::move(text));
  add(About::guests, guests_text(cell, unit));
  add(About::drivers, drivers_text(cell, unit));
  add(About::measured, measured_text(cell));
  add(About::bound, bound_text(cell, speed));
  add(About::packets, unlike_packets_text(comparison, cell));
  add(About::ticks, ticks_text(cell));
  add(About::repetitions, repetitions_text(costs, comparison, cell, unit));
  add(About::sensitivity, sensitivity_text(comparison, cell, unit));
  return out;
}

}  // namespace vtax
