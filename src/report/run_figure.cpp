#include "report/run_figure.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/readable.h"
#include "query/phrase.h"
#include "report/answer.h"
#include "report/figure_svg.h"

namespace vtax {
namespace {

// What a layers figure shows: the typical combination of those that are chosen.
std::optional<WorkloadAnswer> chosen_for_layers(const RunCosts& costs,
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

}  // namespace

std::vector<std::string> run_figures() {
  return {"tax", "layers", "rates"};
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
  if (chart == "layers") {
    if (const auto found = chosen_for_layers(*costs, chosen))
      picture = layers_svg(*costs, *found->typical, found->unit, kFigureWidth, SvgPicture::Use::file);
  } else if (const auto figure = chart == "tax" ? tax_figure(*costs, chosen) : rate_figure(*costs, chosen)) {
    picture = figure_svg(*figure, kFigureWidth, SvgPicture::Use::file);
  }
  if (!picture)
    return fail({what,
                 chart == "tax"     ? "no platform stands beside native"
                 : chart == "rates" ? "no rate was measured"
                                    : "no trial ended",
                 chart == "tax" ? "--chart layers shows what each costs" : ""});
  out << *picture;
  return {};
}

}  // namespace vtax
