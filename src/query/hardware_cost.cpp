#include "query/hardware_cost.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "core/readable.h"

namespace vtax {
namespace {

constexpr std::size_t kLongestNote = 300;

// What the run file, which is a stranger's, says of how it was measured.
nlohmann::json meter_of(const Trial& trial) {
  const auto provenance = nlohmann::json::parse(trial.provenance, nullptr, false);
  const auto meter = provenance.is_object() ? provenance.find("meter") : provenance.end();
  return provenance.is_object() && meter != provenance.end() && meter->is_object() ? *meter
                                                                                   : nlohmann::json::object();
}

void read_notes(const Trial& trial, HardwareCost& cost) {
  const nlohmann::json meter = meter_of(trial);
  if (const auto share = meter.find("hardware_counters_cpu_share");
      share != meter.end() && share->is_number())
    cost.cpu_share = share->get<double>();
  if (const auto notes = meter.find("hardware_counters_notes"); notes != meter.end() && notes->is_array())
    for (const auto& note : *notes)
      if (note.is_string()) cost.notes.push_back(printable(note.get<std::string>(), kLongestNote));
}

std::optional<HardwareCost> not_counted(const Trial& trial) {
  const auto wanted = trial.factors.find("hardware_counters");
  if (wanted == trial.factors.end() || wanted->second != "on") return std::nullopt;
  const nlohmann::json meter = meter_of(trial);
  const auto state = meter.find("hardware_counters");
  HardwareCost cost;
  cost.is_whole = false;
  cost.notes.push_back("hardware counters " + (state != meter.end() && state->is_string()
                                                   ? printable(state->get<std::string>(), kLongestNote)
                                                   : std::string("were not read")));
  return cost;
}

std::optional<double> per(std::uint64_t count, double units) {
  if (count == 0 || units <= 0) return std::nullopt;
  return static_cast<double>(count) / units;
}

// A total of less would look like the whole cost.
constexpr double kLeastShareOfAWhole = 0.9;

std::optional<double> ratio(std::optional<double> of, std::optional<double> to) {
  if (!of || !to) return std::nullopt;
  return *of / *to;
}

}  // namespace

bool is_hardware_count(const LedgerEntry& entry) {
  return entry.kind == kHardwareCyclesKind || entry.kind == kHardwareInstructionsKind;
}

std::optional<HardwareCost> hardware_cost(const Trial& trial) {
  if (std::none_of(trial.ledger.begin(), trial.ledger.end(), is_hardware_count)) return not_counted(trial);
  HardwareCost cost;
  for (const LedgerEntry& entry : trial.ledger) {
    if (!is_hardware_count(entry) || entry.layer == Layer::elsewhere) continue;
    auto& counts = entry.kind == kHardwareCyclesKind ? cost.cycles : cost.instructions;
    counts[static_cast<std::size_t>(entry.layer)] += entry.value;
  }
  for (const LedgerEntry& time : trial.ledger) {
    if (time.kind != kCpuTimeKind || time.value == 0 || time.layer == Layer::idle ||
        time.layer == Layer::uncharged || time.layer == Layer::elsewhere)
      continue;
    const auto counts_it = [&](const LedgerEntry& entry) {
      return entry.kind == kHardwareCyclesKind && entry.domain == time.domain && entry.value > 0 &&
             (entry.layer == Layer::uncharged || (entry.layer == time.layer && entry.part == time.part));
    };
    cost.is_whole = cost.is_whole && std::any_of(trial.ledger.begin(), trial.ledger.end(), counts_it);
  }
  read_notes(trial, cost);
  cost.is_whole = cost.is_whole && cost.cpu_share >= kLeastShareOfAWhole;
  return cost;
}

std::vector<HardwareLine> hardware_lines(const HardwareCost& cost, double units) {
  const auto is_none = [](const LayerCosts& counts) {
    return std::all_of(counts.begin(), counts.end(), [](std::uint64_t count) { return count == 0; });
  };
  if (is_none(cost.cycles) && is_none(cost.instructions)) return {};
  std::vector<HardwareLine> lines{
      {"cycles", false, {}, {}}, {"instructions", false, {}, {}}, {"instructions per cycle", true, {}, {}}};
  std::array<std::uint64_t, 2> totals{};
  for (std::size_t i = 0; i < kCountedLayers.size(); ++i) {
    const auto layer = static_cast<std::size_t>(kCountedLayers[i]);
    lines[0].layers[i] = per(cost.cycles[layer], units);
    lines[1].layers[i] = per(cost.instructions[layer], units);
    lines[2].layers[i] = ratio(lines[1].layers[i], lines[0].layers[i]);
    totals[0] += cost.cycles[layer];
    totals[1] += cost.instructions[layer];
  }
  if (!cost.is_whole) return lines;
  lines[0].total = per(totals[0], units);
  lines[1].total = per(totals[1], units);
  lines[2].total = ratio(lines[1].total, lines[0].total);
  return lines;
}

std::string hardware_notes(const HardwareCost& cost) {
  std::string text = fmt::format("{}", fmt::join(cost.notes, "; "));
  if (cost.cpu_share < 0.995)
    text += fmt::format("{}counted threads ran {:.0f} % of the CPU time", text.empty() ? "" : "; ",
                        100 * cost.cpu_share);
  return text;
}

}  // namespace vtax
