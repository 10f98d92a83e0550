#include "query/cell.h"

#include <algorithm>
#include <functional>
#include <nlohmann/json.hpp>

#include "core/readable.h"
#include "core/statistics.h"
#include "query/simulated.h"

namespace vtax {
namespace {

void settle(Cell& cell) {
  if (cell.runs.empty()) return;
  std::vector<std::pair<double, std::size_t>> order;
  for (const WindowCost& run : cell.runs) {
    order.emplace_back(cost_per_unit(run), order.size());
    cell.identical = cell.identical && run.digest == cell.runs.front().digest;
  }
  std::sort(order.begin(), order.end());
  cell.median = order[(order.size() - 1) / 2].second;
}

std::map<std::string, std::set<std::string>> set_aside_of(const nlohmann::json& settings) {
  std::map<std::string, std::set<std::string>> out;
  const auto found = settings.find("set_aside");
  if (found == settings.end() || !found->is_object()) return out;
  for (const auto& [platform, factors] : found->items())
    for (const auto& factor : factors)
      if (factor.is_string()) out[platform].insert(factor.get<std::string>());
  return out;
}

// A comparison's factors without those that were set aside for a platform, by which its cells join.
Factors without(Factors factors, const std::set<std::string>& set_aside) {
  for (const std::string& name : set_aside) factors.erase(name);
  return factors;
}

// Puts each cell into every comparison that it stands for.
void join(const RunCosts& costs, std::vector<Comparison>& all) {
  for (const auto& [platform, factors] : costs.set_aside) {
    std::map<Factors, std::vector<const Cell*>> cells;
    for (const Cell& cell : costs.cells)
      if (cell.platform() == platform) {
        Factors rest = without(cell.factors, factors);
        rest.erase("platform");
        cells[std::move(rest)].push_back(&cell);
      }
    for (Comparison& comparison : all) {
      const auto here = [&, &name = platform](const Cell* cell) { return cell->platform() == name; };
      if (std::any_of(comparison.cells.begin(), comparison.cells.end(), here)) continue;
      const auto fitting = cells.find(without(comparison.factors, factors));
      if (fitting != cells.end()) comparison.cells.push_back(fitting->second.front());
    }
  }
}

// What is left of a comparison whose cells all stand in a greater one too is no comparison of its own.
void drop_parts_of_others(std::vector<Comparison>& all) {
  std::map<const Cell*, std::vector<std::size_t>> where;
  for (std::size_t i = 0; i < all.size(); ++i)
    for (const Cell* cell : all[i].cells) where[cell].push_back(i);
  std::vector<Comparison> kept;
  for (const Comparison& one : all) {
    const auto holds_it = [&](std::size_t other) {
      return all[other].cells.size() > one.cells.size() &&
             std::includes(all[other].cells.begin(), all[other].cells.end(), one.cells.begin(),
                           one.cells.end());
    };
    // Whatever holds all of them holds the one that stands in the fewest.
    const Cell* rarest =
        *std::min_element(one.cells.begin(), one.cells.end(),
                          [&](const Cell* a, const Cell* b) { return where[a].size() < where[b].size(); });
    const auto& others = where[rarest];
    if (std::none_of(others.begin(), others.end(), holds_it)) kept.push_back(one);
  }
  all = std::move(kept);
}

}  // namespace

WindowCost window_cost(const Trial& trial) {
  WindowCost cost;
  cost.in_time = machine_cpu_ns(trial).has_value();
  for (const LedgerEntry& entry : trial.ledger) {
    if (is_hardware_count(entry)) continue;
    // The window of the real host holds time that nobody spent on the work.
    if (entry.kind == kCpuTimeKind && (entry.layer == Layer::elsewhere || entry.layer == Layer::idle)) {
      cost.events[std::string(name(entry.layer)) + "_ns"] += entry.value;
    } else if (entry.kind == "instructions" || entry.kind == kCpuTimeKind) {
      if (cost.in_time) cost.total += entry.value;
      cost.instructions[static_cast<std::size_t>(entry.layer)] += entry.value;
      cost.domains[entry.domain][static_cast<std::size_t>(entry.layer)] += entry.value;
      if (entry.cpu != LedgerEntry::kUnknownCpu)
        cost.cpus[entry.cpu][static_cast<std::size_t>(entry.layer)] += entry.value;
    } else {
      cost.events[entry.kind] += entry.value;
    }
  }
  if (!cost.in_time) cost.total = trial.machine_total.value;
  cost.peer = trial.peer_total.value;
  cost.work = trial.work;
  cost.devices = trial.devices;
  cost.guests = trial.guests;
  cost.digest = trial.digest;
  cost.window_ns = trial.window_virtual_ns;
  cost.busy = trial.busy;
  cost.waiting = trial.waiting;
  cost.hardware = hardware_cost(trial);
  cost.domains.shrink();
  cost.events.shrink();
  return cost;
}

std::optional<double> fairness_of(const std::vector<GuestWork>& guests) {
  if (guests.size() < 2) return std::nullopt;
  const bool exchanges = std::any_of(guests.begin(), guests.end(),
                                     [](const GuestWork& guest) { return guest.transactions.value > 0; });
  std::vector<double> rates;
  for (const GuestWork& guest : guests) {
    if (guest.virtual_ns == 0) return std::nullopt;
    const auto done = static_cast<double>(exchanges ? guest.transactions.value : guest.bytes.value);
    rates.push_back(done / static_cast<double>(guest.virtual_ns));
  }
  return fairness_index(rates);
}

Factors cell_factors(const Trial& trial) {
  Factors factors = trial.factors;
  factors.erase(kVariation);
  return factors;
}

bool is_perturbed(const Trial& trial) {
  const auto variation = trial.factors.find(kVariation);
  return variation != trial.factors.end() && variation->second != "none";
}

bool RunCosts::is_set_aside(const std::string& platform, const std::string& factor) const {
  const auto found = set_aside.find(platform);
  return found != set_aside.end() && found->second.count(factor) != 0;
}

CostsOfTrials::CostsOfTrials(const Run& header) {
  const auto settings = nlohmann::json::parse(header.settings, nullptr, false);
  if (!settings.is_object()) return;
  const auto machine = settings.value("machine", nlohmann::json("lab"));
  costs_.is_simulated = is_simulated(header);
  costs_.is_exact = machine != "host" && !costs_.is_simulated;
  costs_.set_aside = set_aside_of(settings);
}

Cell& CostsOfTrials::cell_with(Factors factors) {
  std::size_t hash = 0;
  for (const auto& [name, value] : factors)
    for (const std::string& text : {std::cref(name), std::cref(value)})
      hash = hash * 1099511628211ULL + std::hash<std::string>()(text);
  const auto [first, last] = places_.equal_range(hash);
  for (auto place = first; place != last; ++place)
    if (costs_.cells[place->second].factors == factors) return costs_.cells[place->second];
  places_.emplace(hash, costs_.cells.size());
  costs_.varying.add(factors);
  costs_.cells.push_back({std::move(factors), {}, std::nullopt, true});
  return costs_.cells.back();
}

void CostsOfTrials::add(const Trial& trial) {
  Cell& cell = cell_with(cell_factors(trial));
  if (!trial.error.empty()) {
    costs_.failed.push_back({trial.index, trial.repetition, trial.factors, trial.error});
    return;
  }
  ++costs_.finished;
  if (is_perturbed(trial)) {
    cell.perturbed.push_back({trial.factors.at(kVariation), trial.machine_total.value, trial.work});
    return;
  }
  cell.runs.push_back(window_cost(trial));
}

RunCosts CostsOfTrials::take() {
  for (Cell& cell : costs_.cells) settle(cell);
  return std::move(costs_);
}

Result<RunCosts> read_costs(RunReader& reader) {
  CostsOfTrials costs(reader.header());
  auto read = reader.for_each(RunReader::Detail::costs, [&](const Trial& trial) {
    costs.add(trial);
    return Result<>();
  });
  if (!read) return fail(read.error());
  return costs.take();
}

std::vector<std::string> platforms_of(const RunCosts& costs) {
  std::vector<std::string> names;
  std::set<std::string_view> seen;
  for (const Cell& cell : costs.cells)
    if (seen.insert(cell.platform()).second) names.push_back(cell.platform());
  return names;
}

std::string platforms_text(const RunCosts& costs) {
  std::string text;
  for (const std::string& name : platforms_of(costs)) text += (text.empty() ? "" : ", ") + printable(name);
  return text.empty() ? "no platform" : text;
}

bool in_time(const RunCosts& costs) {
  return std::any_of(costs.cells.begin(), costs.cells.end(),
                     [](const Cell& cell) { return cell.cost() && cell.cost()->in_time; });
}

std::string_view unit_of_cost(bool is_in_time) {
  return is_in_time ? "ns of CPU time" : "instructions";
}

std::string_view unit_of_cost(const RunCosts& costs) {
  return unit_of_cost(in_time(costs));
}

std::string_view name(Unit unit) {
  switch (unit) {
    case Unit::packet:
      return "packet";
    case Unit::kilobyte:
      return "KB";
    case Unit::transaction:
      return "transaction";
  }
  return "?";
}

std::vector<Unit> units_of(const Work& work) {
  if (work.transactions.value > 0) return {Unit::transaction};
  std::vector<Unit> units;
  if (work.bytes.value > 0) units.push_back(Unit::kilobyte);
  if (work.packets.value > 0) units.push_back(Unit::packet);
  return units;
}

std::optional<double> per_unit(std::uint64_t instructions, const Work& work, Unit unit) {
  double units = 0;
  switch (unit) {
    case Unit::packet:
      units = static_cast<double>(work.packets.value);
      break;
    case Unit::kilobyte:
      units = static_cast<double>(work.bytes.value) / 1024;
      break;
    case Unit::transaction:
      units = static_cast<double>(work.transactions.value);
      break;
  }
  if (units == 0) return std::nullopt;
  return static_cast<double>(instructions) / units;
}

double cost_per_unit(const WindowCost& cost) {
  const auto units = units_of(cost.work);
  if (units.empty()) return static_cast<double>(cost.total);
  return per_unit(cost.total, cost.work, units.front()).value_or(0);
}

bool are_packets_alike(const Work& a, const Work& b) {
  constexpr double kMost = 1.25;
  const auto payload = [](const Work& work) {
    return static_cast<double>(work.bytes.value) / static_cast<double>(work.packets.value);
  };
  if (a.packets.value == 0 || b.packets.value == 0) return false;
  if (a.bytes.value == 0 && b.bytes.value == 0) return true;
  return payload(a) <= kMost * payload(b) && payload(b) <= kMost * payload(a);
}

const Cell* Comparison::native() const {
  const auto found =
      std::find_if(cells.begin(), cells.end(), [](const Cell* c) { return c->platform() == "native"; });
  return found == cells.end() ? nullptr : *found;
}

std::vector<Comparison> comparisons_of(const RunCosts& costs) {
  std::vector<Comparison> all;
  std::map<Factors, std::size_t> places;
  for (const Cell& cell : costs.cells) {
    Factors rest = cell.factors;
    rest.erase("platform");
    const auto [place, is_new] = places.emplace(rest, all.size());
    if (is_new) all.push_back({std::move(rest), {}});
    all[place->second].cells.push_back(&cell);
  }
  if (!costs.set_aside.empty()) {
    join(costs, all);
    for (Comparison& comparison : all) std::sort(comparison.cells.begin(), comparison.cells.end());
    drop_parts_of_others(all);
  }
  for (Comparison& comparison : all) {
    std::stable_partition(comparison.cells.begin(), comparison.cells.end(),
                          [](const Cell* cell) { return cell->platform() == "native"; });
  }
  return all;
}

std::optional<double> tax(const Comparison& comparison, const Cell& cell, Unit unit) {
  const Cell* native = comparison.native();
  if (native == nullptr || !native->cost() || !cell.cost()) return std::nullopt;
  if (unit == Unit::packet && !are_packets_alike(native->cost()->work, cell.cost()->work))
    return std::nullopt;
  const auto base = per_unit(native->cost()->total, native->cost()->work, unit);
  const auto cost = per_unit(cell.cost()->total, cell.cost()->work, unit);
  if (!base || !cost || *base == 0) return std::nullopt;
  return *cost / *base;
}

}  // namespace vtax
