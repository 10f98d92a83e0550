#include "advise/ranking_score.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "advise/known_by_model.h"

namespace vtax::advise {
namespace {

struct Pair {
  const Option* told = nullptr;
  const Option* measured = nullptr;
};

const Option* find(const Advice& advice, const Placement& placement) {
  for (const auto* list : {&advice.holds, &advice.fails})
    for (const Option& option : *list)
      if (option.placement == placement) return &option;
  return nullptr;
}

std::vector<Pair> pairs_of(const Advice& told, const Advice& measured) {
  std::vector<Pair> pairs;
  for (const auto* list : {&told.holds, &told.fails})
    for (const Option& option : *list)
      if (const Option* truth = find(measured, option.placement)) pairs.push_back({&option, truth});
  std::stable_sort(pairs.begin(), pairs.end(),
                   [](const Pair& a, const Pair& b) { return a.told->aim.value < b.told->aim.value; });
  return pairs;
}

}  // namespace

std::optional<double> kendall_tau(const std::vector<double>& a, const std::vector<double>& b) {
  double agree = 0, of_a = 0, of_b = 0;  // of_a: pairs that a does not tie
  for (std::size_t i = 0; i < a.size(); ++i)
    for (std::size_t j = i + 1; j < a.size(); ++j) {
      const int x = (a[i] > a[j]) - (a[i] < a[j]), y = (b[i] > b[j]) - (b[i] < b[j]);
      agree += x * y;
      of_a += x != 0;
      of_b += y != 0;
    }
  if (of_a == 0 || of_b == 0) return std::nullopt;
  return agree / std::sqrt(of_a * of_b);
}

Result<RankingScore> score_ranking(const Server& server, const Advice& advice,
                                   const predict::KnownCells& measured) {
  const std::string what = "cannot check the advice on " + server.name;
  if (server.minimise == Aim::p99)
    return fail({what, "it minimises a latency, and costs alone are compared",
                 "check it with minimise = \"cost\", or look at the latencies with `vtax report`"});
  Server by_cost = server;
  for (Application& application : by_cost.applications) application.most_p99_us.reset();
  const auto knowledge = knowledge_of(measured);
  if (!knowledge) return fail(knowledge.error());
  const auto truth = advise(by_cost, *knowledge);
  if (!truth) return fail(truth.error());
  const auto pairs = pairs_of(advice, *truth);
  if (pairs.size() < 2)
    return fail(
        {what, fmt::format("the run has the cells of {} of its placements, two are the least", pairs.size()),
         "`vtax advise SERVER --study FILE` writes a study that has them"});
  RankingScore score;
  score.placements = pairs.size();
  std::vector<double> told, found;
  const Pair* best = &pairs.front();
  std::set<Factors> cells, known;
  for (const Pair& pair : pairs) {
    told.push_back(pair.told->aim.value);
    found.push_back(pair.measured->aim.value);
    if (pair.measured->aim.value < best->measured->aim.value) best = &pair;
    if (pair.told->unmet.empty() != pair.measured->unmet.empty()) ++score.told_wrongly;
    for (std::size_t i = 0; i < pair.told->told.size(); ++i) {
      cells.insert(pair.told->placement.cells[i]);
      if (pair.told->told[i].is_measured) known.insert(pair.told->placement.cells[i]);
    }
  }
  score.cells = cells.size();
  score.known_cells = known.size();
  score.tau = kendall_tau(told, found);
  score.regret = pairs.front().measured->aim.value / best->measured->aim.value - 1;
  constexpr std::size_t kTop = 3;
  score.best_in_top_3 = static_cast<std::size_t>(best - pairs.data()) < kTop;
  std::vector<Placement> all;
  for (const Pair& pair : pairs) all.push_back(pair.told->placement);
  const PlacementNames names(server, all);
  score.told_best = names.of(pairs.front().told->placement);
  score.measured_best = names.of(best->told->placement);
  return score;
}

}  // namespace vtax::advise
