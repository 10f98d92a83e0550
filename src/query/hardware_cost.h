#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "query/layer_costs.h"
#include "record/trial.h"

namespace vtax {

// What hardware counters saw of a window on the real host. It is no part of the window's cost, which is CPU
// time.
struct HardwareCost {
  LayerCosts cycles{}, instructions{};  // 0: nothing was counted there
  bool is_whole = true;                 // something was counted wherever there is CPU time, and nearly all
  double cpu_share = 1;                 // of the trial's CPU time, what counted threads ran
  std::vector<std::string> notes;       // what was not seen, and what is an estimate
};

// Nothing where nobody asked for counters; where they could not be had, all is 0 and a note says why.
[[nodiscard]] std::optional<HardwareCost> hardware_cost(const Trial& trial);

[[nodiscard]] bool is_hardware_count(const LedgerEntry& entry);

// Where counters count: no other layer is a mode of the CPU's.
inline constexpr std::array<Layer, 4> kCountedLayers{Layer::driver, Layer::kernel, Layer::program,
                                                     Layer::uncharged};

// A line of a table of them; nothing where nothing was counted.
struct HardwareLine {
  std::string_view name = "";  // "cycles", "instructions", "instructions per cycle"
  bool is_ratio = false;       // so that it is not per unit of work
  std::array<std::optional<double>, kCountedLayers.size()> layers;
  std::optional<double> total;  // and where a part is missing
};
// `units`: of work, by which counts are divided. Empty where nothing was counted.
[[nodiscard]] std::vector<HardwareLine> hardware_lines(const HardwareCost& cost, double units);

// The notes, and how much of the CPU time was counted; empty if that is all.
[[nodiscard]] std::string hardware_notes(const HardwareCost& cost);

}  // namespace vtax
