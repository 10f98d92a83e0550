#include "report/run_figure.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <utility>

#include "core/readable.h"
#include "query/phrase.h"
#include "query/repetitions.h"
#include "report/answer.h"
#include "report/figure_svg.h"
#include "report/flame_svg.h"

namespace vtax {
namespace {

// What a figure of one combination shows: the typical one of those that are chosen.
std::optional<WorkloadAnswer> typical_answer(const RunCosts& costs,
                                             const std::vector<const Comparison*>& chosen) {
  std::vector<Comparison> its;
  for (const Comparison* one : chosen) its.push_back(*one);
  auto found = answers_of(costs, its);
  if (found.empty()) return std::nullopt;
  // `its` goes; what it was copied from stays.
  const auto same = std::find_if(chosen.begin(), chosen.end(), [&](const Comparison* one) {
    return one->factors == found.front().typical->factors;
  });
  found.front().typical = *same;
  return found.front();
}

// Of each platform's median run, whole.
Result<std::map<Factors, std::vector<FunctionCost>>> functions_of(RunReader& reader,
                                                                  const Comparison& comparison) {
  std::map<Factors, const Cell*> cells;
  for (const Cell* cell : comparison.cells)
    if (cell->cost() != nullptr) cells[cell->factors] = cell;
  std::map<Factors, std::vector<FunctionCost>> functions;
  const auto is_wanted = [&](const Trial& trial) {
    if (!trial.error.empty() || is_perturbed(trial)) return false;
    const auto found = cells.find(cell_factors(trial));
    return found != cells.end() && found->second->cost()->digest == trial.digest;
  };
  const auto read = reader.for_each(RunReader::Detail::all, is_wanted, [&](const Trial& trial) {
    functions.try_emplace(cell_factors(trial), trial.functions);
    return Result<>();
  });
  if (!read) return fail(read.error());
  return functions;
}

Result<std::optional<std::string>> flames_of(RunReader& reader, const RunCosts& costs,
                                             const Comparison& comparison, Unit unit) {
  auto functions = functions_of(reader, comparison);
  if (!functions) return fail(functions.error());
  std::vector<Flame> flames;
  for (const Cell* cell : comparison.cells) {
    const auto found = functions->find(cell->factors);
    const auto total =
        found == functions->end() ? std::nullopt : per_unit(cell->cost()->total, cell->cost()->work, unit);
    if (!total || cell->cost()->total == 0) continue;
    const std::string tax = marked_tax(comparison, *cell, unit);
    flames.push_back({fmt::format("{}: {}{}", printable(cell->platform()), readable(*total),
                                  tax == "-" ? "" : "  ×" + tax),
                      std::move(found->second), *total / static_cast<double>(cell->cost()->total)});
  }
  const std::string& workload = comparison.factors.at("workload");
  return flame_svg(flames, full_phrase(comparison.factors, costs.varying.of(workload)),
                   fmt::format("{} per {}", unit_of_cost(costs), noun(unit, workload)), kFigureWidth,
                   SvgPicture::Use::file);
}

std::string why_nothing(const std::string& chart) {
  if (chart == "tax") return "no platform stands beside native";
  if (chart == "rates") return "no rate was measured";
  return chart == "flame" ? "no functions were recorded: the lab counts by function, machine host does not"
                          : "no trial ended";
}

}  // namespace

std::vector<std::string> run_figures() {
  return {"tax", "layers", "rates", "flame"};
}

std::string names_of_run_figures() {
  return fmt::format("{}", fmt::join(run_figures(), ", "));
}

Result<> write_run_figure(RunReader& reader, const std::string& chart, const std::string& cell,
                          std::ostream& out) {
  auto costs = read_costs(reader);
  if (!costs) return fail(costs.error());
  const auto comparisons = comparisons_of(*costs);
  std::vector<const Comparison*> chosen;
  for (const Comparison& one : comparisons)
    if (full_phrase(one.factors, costs->varying.of(one.factors.at("workload"))).find(cell) !=
        std::string::npos)
      chosen.push_back(&one);
  const std::string what = "cannot draw the " + chart + " of this run";
  if (chosen.empty() && !comparisons.empty())
    return fail({what, fmt::format("no combination has '{}' in its name", printable(cell)),
                 "vtax report RUN --all names them"});
  std::optional<std::string> picture;
  if (chart == "flame") {
    if (const auto found = typical_answer(*costs, chosen)) {
      auto drawn = flames_of(reader, *costs, *found->typical, found->unit);
      if (!drawn) return fail(drawn.error());
      picture = std::move(*drawn);
    }
  } else if (chart == "layers") {
    if (const auto found = typical_answer(*costs, chosen))
      picture = layers_svg(*costs, *found->typical, found->unit, kFigureWidth, SvgPicture::Use::file);
  } else if (const auto figure = chart == "tax" ? tax_figure(*costs, chosen) : rate_figure(*costs, chosen)) {
    picture = figure_svg(*figure, kFigureWidth, SvgPicture::Use::file);
  }
  if (!picture)
    return fail({what, why_nothing(chart), chart == "tax" ? "--chart layers shows what each costs" : ""});
  out << *picture;
  return {};
}

}  // namespace vtax
