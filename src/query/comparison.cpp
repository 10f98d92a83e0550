#include "query/comparison.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <set>
#include <utility>

#include "core/function_name.h"
#include "core/readable.h"
#include "query/comparable_json.h"
#include "query/phrase.h"
#include "query/repetitions.h"
#include "query/sensitivity.h"
#include "record/json_difference.h"
#include "subject/factor_table.h"

namespace vtax {
namespace {

struct FunctionCount {
  std::uint64_t instructions = 0;
  std::optional<std::uint64_t> calls = {};
};
using FunctionCounts = std::map<std::string, FunctionCount>;

// A run with what a comparison needs: costs, functions of each cell's median run, and one provenance.
struct Side {
  RunCosts costs;
  std::map<Factors, FunctionCounts> functions;
  std::string provenance;
};

// Another compiler clones other functions.
std::string function_name(const FunctionCost& cost) {
  return fmt::format("{} {}: {} ({})", cost.domain, name(cost.layer), without_clone_suffix(cost.function),
                     cost.image);
}

Result<Side> read_side(RunReader& reader) {
  auto costs = read_costs(reader);
  if (!costs) return fail(costs.error());
  Side side;
  side.costs = std::move(*costs);
  std::map<Factors, const Cell*> cells;
  for (const Cell& cell : side.costs.cells) cells[cell.factors] = &cell;
  auto read = reader.for_each(RunReader::Detail::all, [&](const Trial& trial) {
    const Factors factors = cell_factors(trial);
    const Cell* cell = cells.at(factors);
    const bool is_shown = trial.error.empty() && !is_perturbed(trial) && cell->cost()->digest == trial.digest;
    if (!is_shown || side.functions.count(factors) != 0) return Result<>();
    if (side.provenance.empty()) side.provenance = trial.provenance;
    FunctionCounts& counts = side.functions[factors];
    for (const FunctionCost& cost : trial.functions) {
      FunctionCount& count = counts[function_name(cost)];
      count.instructions += cost.instructions.value;
      if (cost.calls) count.calls = count.calls.value_or(0) + *cost.calls;
    }
    return Result<>();
  });
  if (!read) return fail(read.error());
  return side;
}

std::vector<std::string> context_of(const Run& before, const Run& after, const Side& a, const Side& b) {
  std::vector<std::string> out;
  const auto compare = [&](std::string_view name, const std::string& left, const std::string& right) {
    if (left != right) out.push_back(fmt::format("{}: {} -> {}", name, printable(left), printable(right)));
  };
  compare("study", before.study, after.study);
  compare("vtax", before.vtax_version, after.vtax_version);
  const auto add = [&](const JsonDifference& d) {
    out.push_back(fmt::format("{}: {} -> {}", d.path, d.left, d.right));
  };
  for (const JsonDifference& d :
       json_differences(comparable_settings(before.settings), comparable_settings(after.settings))) {
    add(d);
  }
  const auto what_ran =
      json_differences(comparable_provenance(a.provenance), comparable_provenance(b.provenance));
  for (const JsonDifference& d : what_ran) {
    // The image's hash follows from its parts; alone it tells that vtax itself, which is in it, was built
    // anew.
    if (d.path != "/image")
      add(d);
    else if (what_ran.size() == 1)
      out.emplace_back("vtax: another build of it, by the hash of the lab's image");
  }
  return out;
}

std::vector<FunctionChange> function_changes(const FunctionCounts& before, const FunctionCounts& after) {
  std::vector<FunctionChange> changes;
  const auto count_in = [](const FunctionCounts& counts, const std::string& name) {
    const auto found = counts.find(name);
    // A function that is not there did not run.
    return found == counts.end() ? FunctionCount{0, 0} : found->second;
  };
  const auto add = [&](const std::string& name) {
    const FunctionCount a = count_in(before, name), b = count_in(after, name);
    if (a.instructions != b.instructions)
      changes.push_back({{name, a.instructions, b.instructions}, a.calls, b.calls});
  };
  for (const auto& [name, count] : before) add(name);
  for (const auto& [name, count] : after)
    if (before.count(name) == 0) add(name);
  std::stable_sort(changes.begin(), changes.end(),
                   [](const Change& a, const Change& b) { return a.size() > b.size(); });
  return changes;
}

bool did_the_same(const WindowCost& a, const WindowCost& b) {
  return a.digest == b.digest && a.work.bytes == b.work.bytes && a.work.packets == b.work.packets &&
         a.work.transactions == b.work.transactions && a.guests == b.guests && a.total == b.total &&
         a.instructions == b.instructions && a.events == b.events;
}

std::string cell_name(const Cell& cell, const RunCosts& all) {
  return printable(cell.platform()) + ", " + full_phrase(cell.factors, all.varying.of(cell.workload()));
}

// A factor that a run of an earlier version did not know was at its usual value.
Factors other_than_usual(const Factors& factors) {
  Factors key = factors;
  for (const Factor& factor : common_factors()) {
    const auto found = key.find(std::string(factor.name));
    if (found != key.end() && found->second == factor.fallback) key.erase(found);
  }
  return key;
}

// By cell how many of its trials failed; perturbed boots are among them.
std::map<Factors, std::size_t> failures_of(const RunCosts& costs) {
  std::map<Factors, std::size_t> failures;
  for (const FailedTrial& trial : costs.failed) {
    Factors factors = trial.factors;
    factors.erase(kVariation);
    ++failures[other_than_usual(factors)];
  }
  return failures;
}

std::uint64_t not_run(const Run& header, const RunCosts& costs) {
  const std::uint64_t recorded = costs.finished + costs.failed.size();
  return header.planned_trials > recorded ? header.planned_trials - recorded : 0;
}

CellChange change_of(const Cell& before, const Cell& after) {
  CellChange change{before.factors, *before.cost(), *after.cost()};
  change.is_identical =
      std::equal(before.runs.begin(), before.runs.end(), after.runs.begin(), after.runs.end(), did_the_same);
  change.samples = compare_samples(samples_of(before), samples_of(after));
  change.ratio = ratio_interval(samples_of(before), samples_of(after));
  change.sensitivity_before = sensitivity(before);
  change.sensitivity_after = sensitivity(after);
  for (const Layer layer : kLayers)
    change.layers.push_back({std::string(name(layer)), change.before.of(layer), change.after.of(layer)});
  return change;
}

std::optional<double> risen_by(double before, double after) {
  return before == 0 ? std::nullopt : std::optional((after - before) / before);
}

}  // namespace

std::optional<double> Change::relative() const {
  if (before == 0) return std::nullopt;
  return (static_cast<double>(after) - static_cast<double>(before)) / static_cast<double>(before);
}

std::optional<double> FunctionChange::relative_calls() const {
  if (!calls_before || !calls_after) return std::nullopt;
  return risen_by(static_cast<double>(*calls_before), static_cast<double>(*calls_after));
}

std::optional<double> FunctionChange::relative_per_call() const {
  if (!calls_before || !calls_after || *calls_before == 0 || *calls_after == 0) return std::nullopt;
  return risen_by(static_cast<double>(before) / static_cast<double>(*calls_before),
                  static_cast<double>(after) / static_cast<double>(*calls_after));
}

double CellChange::before_per_unit() const {
  return cost_per_unit(before);
}
double CellChange::after_per_unit() const {
  return cost_per_unit(after);
}

std::string CellChange::unit() const {
  const auto units = units_of(before.work);
  return units.empty() ? "window" : std::string(name(units.front()));
}

std::optional<double> CellChange::relative() const {
  const double base = before_per_unit();
  if (base == 0) return std::nullopt;
  return (after_per_unit() - base) / base;
}

Result<RunComparison> compare_runs(RunReader& before, RunReader& after) {
  auto a = read_side(before);
  if (!a) return fail(a.error());
  auto b = read_side(after);
  if (!b) return fail(b.error());
  RunComparison comparison;
  comparison.context = context_of(before.header(), after.header(), *a, *b);
  comparison.not_run_before = not_run(before.header(), a->costs);
  comparison.not_run_after = not_run(after.header(), b->costs);
  const auto failures = failures_of(b->costs);
  std::map<Factors, const Cell*> others;
  std::set<Factors> failed;
  for (const Cell& cell : b->costs.cells) {
    if (cell.cost())
      others[other_than_usual(cell.factors)] = &cell;
    else
      failed.insert(other_than_usual(cell.factors));
  }
  for (const Cell& cell : a->costs.cells) {
    if (!cell.cost()) continue;
    const Factors key = other_than_usual(cell.factors);
    const auto found = others.find(key);
    // Instructions and time have no difference.
    if (found == others.end() || found->second->cost()->in_time != cell.cost()->in_time) {
      comparison.only_before.push_back(cell_name(cell, a->costs));
      if (failed.count(key) != 0) comparison.failed_after.push_back(comparison.only_before.back());
      continue;
    }
    CellChange change = change_of(cell, *found->second);
    if (failures.count(key) != 0) comparison.partly_failed_after.push_back(cell_name(cell, a->costs));
    change.functions = function_changes(a->functions[cell.factors], b->functions[found->second->factors]);
    others.erase(found);
    comparison.cells.push_back(std::move(change));
  }
  for (const Cell& cell : b->costs.cells) {
    if (others.count(other_than_usual(cell.factors)) != 0)
      comparison.only_after.push_back(cell_name(cell, b->costs));
  }
  return comparison;
}

bool CellChange::is_shown() const {
  if (is_identical) return false;
  const bool may_be_layout = ratio && ratio->low <= 1 + kLayoutMargin && ratio->high >= 1 - kLayoutMargin;
  if (!samples.is_too_few) return samples.is_shown() && !may_be_layout;
  if (!sensitivity_before || !sensitivity_after) return true;
  return sensitivity_before->high < sensitivity_after->low ||
         sensitivity_after->high < sensitivity_before->low;
}

std::size_t undecided_cells(const RunComparison& comparison, double limit) {
  return static_cast<std::size_t>(
      std::count_if(comparison.cells.begin(), comparison.cells.end(), [&](const CellChange& cell) {
        const bool is_above = cell.is_shown() && cell.relative().value_or(0) > limit;
        return !is_above && cell.ratio && cell.ratio->high - 1 > limit;
      }));
}

double CellChange::rise() const {
  if (!is_shown()) return 0;
  if (!relative() && after.total > 0) return std::numeric_limits<double>::infinity();
  return relative().value_or(0);
}

double worst_regression(const RunComparison& comparison) {
  double worst = 0;
  for (const CellChange& cell : comparison.cells) worst = std::max(worst, cell.rise());
  return worst;
}

}  // namespace vtax
