#include "predict/known_cells.h"

#include <algorithm>
#include <cmath>

#include "core/sha256.h"
#include "core/statistics.h"
#include "query/measured.h"
#include "query/repetitions.h"
#include "query/simulated.h"
#include "study/catalogue.h"

namespace vtax::predict {
namespace {

// "guest1" and "guest2" are one kind of domain; so are "container1", "process1".
std::string kind_of(const std::string& domain) {
  const auto end = domain.find_last_not_of("0123456789");
  const std::string stem = domain.substr(0, end + 1);
  return stem == "guest" || stem == "container" || stem == "process" ? stem : domain;
}

// KVM's host works on its guests' CPUs, too. CPU 0 is its own, whoever else is there.
bool is_beside_guest(const Busy& busy, const std::vector<Busy>& all) {
  const auto is_guests = [](const Busy& one) { return kind_of(one.domain) == "guest"; };
  return busy.cpu > 0 && busy.domain != "peer" && !is_guests(busy) &&
         std::any_of(all.begin(), all.end(),
                     [&](const Busy& other) { return other.cpu == busy.cpu && is_guests(other); });
}

Figures figures_of(const WindowCost& run, Unit unit) {
  Figures figures;
  for (std::size_t i = 0; i < kLayers.size(); ++i)
    if (const auto cost = per_unit(run.instructions[i], run.work, unit); cost && *cost > 0)
      figures["layer " + std::string(name(kLayers[i]))] = *cost;
  if (const auto cost = per_unit(run.total, run.work, unit)) figures["cost"] = *cost;
  if (!has_own_time(run) || run.window_ns == 0) return figures;
  const double seconds = static_cast<double>(run.window_ns) * 1e-9;
  constexpr double kBitsOfByte = 8, kMega = 1e6;
  figures["rate"] = unit == Unit::transaction
                        ? static_cast<double>(run.work.transactions.value) / seconds
                        : static_cast<double>(run.work.bytes.value) * kBitsOfByte / kMega / seconds;
  for (const Busy& busy : run.busy)
    if (busy.ns > 0)
      figures["busy " + kind_of(busy.domain) +
              (is_beside_guest(busy, run.busy) ? std::string(kBesideGuest) : std::string())] +=
          static_cast<double>(busy.ns) / static_cast<double>(run.window_ns);
  return figures;
}

Factors without_amounts(const Factors& factors, const std::string& workload) {
  Factors kept;
  for (const auto& [factor, value] : factors)
    if (!is_amount(workload, factor)) kept.emplace(factor, value);
  return kept;
}

}  // namespace

std::vector<Factors> factors_of(const KnownCells& known) {
  std::vector<Factors> all;
  for (const KnownCell& cell : known.cells) all.push_back(cell.factors);
  return all;
}

double floor_of(const KnownCells& known) {
  std::vector<double> spreads;
  for (const KnownCell& cell : known.cells) {
    const auto middle = mean(cell.samples);
    if (cell.samples.size() < 2 || !middle) continue;
    double squares = 0;
    for (const double sample : cell.samples) squares += (sample - *middle) * (sample - *middle);
    spreads.push_back(std::sqrt(squares / static_cast<double>(cell.samples.size() - 1)) / *middle);
  }
  return median(spreads).value_or(0);
}

bool is_amount(const std::string& workload, const std::string& factor) {
  const Factor* row = find_factor_of_any(factor, workload);
  return row != nullptr && (row->quick_least > 0 || factor.starts_with("warmup_"));
}

Result<> add_run(RunReader& reader, KnownCells& known) {
  if (is_simulated(reader.header()))
    return fail({"cannot take the run of " + reader.header().study + " as measured",
                 "`vtax simulate` made it, from the costs of another run", "take that run: it was measured"});
  CostsOfTrials trials(reader.header());
  Source source{reader.header().study, reader.header().vtax_version, reader.header().started_utc, 0, ""};
  Sha256 digest;
  auto read = reader.for_each(RunReader::Detail::costs, [&](const Trial& trial) {
    trials.add(trial);
    if (trial.error.empty()) {
      digest.add(trial.digest);
      ++source.trials;
    }
    return Result<>();
  });
  if (!read) return read;
  source.digest = digest.hex();
  const RunCosts costs = trials.take();
  const std::string what = "cannot learn from the run of " + reader.header().study;
  if (costs.finished == 0) return fail({what, "none of its trials ended", "`vtax report` says why"});
  if (!known.cells.empty() && in_time(costs) != known.in_time)
    return fail({what,
                 "it counts " + std::string(unit_of_cost(costs)) + ", the runs before it " +
                     std::string(unit_of_cost(known.in_time)),
                 "a model knows one of the two: fit one for each"});
  known.in_time = in_time(costs);
  for (const Cell& cell : costs.cells) {
    if (cell.cost() == nullptr) continue;
    const auto units = units_of(cell.cost()->work);
    if (units.empty()) continue;
    KnownCell one{without_amounts(cell.factors, cell.workload()), units.front(),
                  figures_of(*cell.cost(), units.front()), samples_of(cell, units.front())};
    const auto found = std::find_if(known.cells.begin(), known.cells.end(),
                                    [&](const KnownCell& other) { return other.factors == one.factors; });
    if (found == known.cells.end())
      known.cells.push_back(std::move(one));
    else
      found->samples.insert(found->samples.end(), one.samples.begin(), one.samples.end());
  }
  known.sources.push_back(std::move(source));
  return {};
}

}  // namespace vtax::predict
