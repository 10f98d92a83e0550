#include "report/cell.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "core/statistics.h"

namespace vtax {
namespace {

// Repetitions of one cell while they are read: all are kept, each small.
struct Pending {
  std::vector<WindowCost> runs;
};

void settle(Cell& cell, Pending& pending) {
  if (pending.runs.empty()) return;
  for (const WindowCost& run : pending.runs) {
    cell.totals.push_back(run.total);
    cell.identical = cell.identical && run.digest == pending.runs.front().digest;
  }
  std::stable_sort(pending.runs.begin(), pending.runs.end(),
                   [](const WindowCost& a, const WindowCost& b) { return a.total < b.total; });
  cell.cost = std::move(pending.runs[(pending.runs.size() - 1) / 2]);
}

bool is_machine_exact(const Run& header) {
  const auto settings = nlohmann::json::parse(header.settings, nullptr, false);
  return !settings.is_object() || settings.value("machine", nlohmann::json("lab")) != "host";
}

}  // namespace

WindowCost window_cost(const Trial& trial) {
  WindowCost cost;
  cost.in_time = machine_cpu_ns(trial).has_value();
  for (const LedgerEntry& entry : trial.ledger) {
    // The window of the real host holds time that nobody spent on the work.
    if (entry.layer == Layer::elsewhere || (cost.in_time && entry.layer == Layer::idle)) {
      cost.events[std::string(name(entry.layer)) + "_ns"] += entry.value;
    } else if (entry.kind == "instructions" || entry.kind == cpu_time_kind) {
      if (cost.in_time) cost.total += entry.value;
      cost.instructions[static_cast<std::size_t>(entry.layer)] += entry.value;
      cost.domains[entry.domain][static_cast<std::size_t>(entry.layer)] += entry.value;
      if (entry.cpu != LedgerEntry::unknown_cpu)
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

Result<RunCosts> read_costs(RunReader& reader) {
  RunCosts costs;
  costs.is_exact = is_machine_exact(reader.header());
  std::map<Factors, std::size_t> places;
  std::vector<Pending> pending;
  auto read = reader.for_each(RunReader::Detail::costs, [&](const Trial& trial) {
    const auto [place, is_new] = places.emplace(cell_factors(trial), costs.cells.size());
    if (is_new) {
      costs.cells.push_back({place->first, {}, std::nullopt, true});
      pending.emplace_back();
    }
    if (!trial.error.empty()) {
      costs.failed.push_back({trial.index, trial.repetition, trial.factors, trial.error});
      return Result<>();
    }
    ++costs.finished;
    if (is_perturbed(trial)) {
      costs.cells[place->second].perturbed.push_back(
          {trial.factors.at(kVariation), trial.machine_total.value, trial.work});
      return Result<>();
    }
    pending[place->second].runs.push_back(window_cost(trial));
    return Result<>();
  });
  if (!read) return fail(read.error());
  for (std::size_t i = 0; i < pending.size(); ++i) settle(costs.cells[i], pending[i]);
  return costs;
}

bool in_time(const RunCosts& costs) {
  return std::any_of(costs.cells.begin(), costs.cells.end(),
                     [](const Cell& cell) { return cell.cost && cell.cost->in_time; });
}

std::string_view unit_of_cost(const RunCosts& costs) {
  return in_time(costs) ? "ns of CPU time" : "instructions";
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

std::vector<double> samples_of(const Cell& cell) {
  std::vector<double> samples;
  if (!cell.cost) return samples;
  const auto units = units_of(cell.cost->work);
  for (const std::uint64_t total : cell.totals) {
    samples.push_back(units.empty() ? static_cast<double>(total)
                                    : per_unit(total, cell.cost->work, units.front()).value_or(0));
  }
  return samples;
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
  for (Comparison& comparison : all) {
    std::stable_partition(comparison.cells.begin(), comparison.cells.end(),
                          [](const Cell* cell) { return cell->platform() == "native"; });
  }
  return all;
}

std::optional<double> tax(const Comparison& comparison, const Cell& cell, Unit unit) {
  const Cell* native = comparison.native();
  if (native == nullptr || !native->cost || !cell.cost) return std::nullopt;
  const auto base = per_unit(native->cost->total, native->cost->work, unit);
  const auto cost = per_unit(cell.cost->total, cell.cost->work, unit);
  if (!base || !cost || *base == 0) return std::nullopt;
  return *cost / *base;
}

}  // namespace vtax
