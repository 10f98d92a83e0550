#include "report/trend.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <utility>

#include "core/readable.h"
#include "query/cost_text.h"
#include "query/phrase.h"
#include "report/comparison_words.h"

namespace vtax {
namespace {

constexpr std::size_t kMostTrendPanels = 24;  // of a workload

struct TrendPanel {
  FigurePanel panel;
  double most = 0;  // by how much a cell of it changed, where that is shown
};

std::string change_with_interval(const CellChange& change) {
  if (!change.is_shown()) return "~";
  const std::string interval = interval_text(change);
  return change_text(change.relative()) + (interval.empty() ? "" : " (" + interval + ")");
}

void add_cell(TrendPanel& into, const RunTrend& trend, const TrendCell& cell, std::size_t platform) {
  into.panel.rows[0].points[platform] =
      FigurePoint{1, {}, cost_text(cell.any->before_per_unit(), cell.any->before.in_time)};
  for (std::size_t i = 0; i < trend.against_first.size(); ++i) {
    const CellChange* change = cell.changes[i];
    const auto relative = change == nullptr ? std::nullopt : change->relative();
    if (!relative) continue;
    into.panel.rows[i + 1].points[platform] =
        FigurePoint{1 + *relative, change->ratio, change_with_interval(*change)};
    if (change->is_shown()) into.most = std::max(into.most, std::abs(*relative));
  }
}

}  // namespace

Result<RunTrend> trend_of(std::vector<std::string> names, std::vector<RunReader>& runs) {
  RunTrend trend{std::move(names), {}};
  for (std::size_t i = 1; i < runs.size(); ++i) {
    auto comparison = compare_runs(runs.front(), runs[i]);
    if (!comparison) return fail(comparison.error());
    trend.against_first.push_back(std::move(*comparison));
  }
  return trend;
}

std::vector<TrendCell> cells_of(const RunTrend& trend) {
  std::vector<TrendCell> cells;
  std::map<Factors, std::size_t> places;
  for (std::size_t i = 0; i < trend.against_first.size(); ++i)
    for (const CellChange& change : trend.against_first[i].cells) {
      const auto [place, is_new] = places.emplace(change.factors, cells.size());
      if (is_new) cells.push_back({&change, std::vector<const CellChange*>(trend.against_first.size())});
      cells[place->second].changes[i] = &change;
    }
  return cells;
}

std::optional<Figure> trend_figure(const RunTrend& trend) {
  const auto cells = cells_of(trend);
  if (cells.empty()) return std::nullopt;
  Figure figure{"Cost of each cell over the runs, in units of the first run's", {}, 1, true};
  VaryingFactors varying;
  for (const TrendCell& cell : cells) {
    varying.add(cell.any->factors);
    const std::string& platform = cell.any->factors.at("platform");
    if (std::find(figure.platforms.begin(), figure.platforms.end(), platform) == figure.platforms.end())
      figure.platforms.push_back(platform);
  }
  std::vector<std::string> workloads;
  std::map<std::string, std::vector<TrendPanel>> panels;
  std::map<std::pair<std::string, std::string>, std::size_t> places;  // by workload and title
  for (const TrendCell& cell : cells) {
    const std::string& workload = cell.any->factors.at("workload");
    if (!panels.contains(workload)) workloads.push_back(workload);
    auto& its = panels[workload];
    const std::string title = phrase(cell.any->factors, varying.of(workload));
    const auto [known, is_new] = places.emplace(std::pair(workload, title), its.size());
    if (is_new) {
      its.push_back(TrendPanel{{title, {}}});
      for (std::size_t i = 0; i < trend.names.size(); ++i)
        its.back().panel.rows.push_back({printable(trend.names[i], 24), static_cast<double>(i),
                                         std::vector<std::optional<FigurePoint>>(figure.platforms.size())});
    }
    const auto platform =
        std::find(figure.platforms.begin(), figure.platforms.end(), cell.any->factors.at("platform"));
    add_cell(its[known->second], trend, cell, static_cast<std::size_t>(platform - figure.platforms.begin()));
  }
  for (const std::string& workload : workloads) {
    auto& its = panels[workload];
    std::stable_sort(its.begin(), its.end(),
                     [](const TrendPanel& a, const TrendPanel& b) { return a.most > b.most; });
    // Where no cell shows a difference there is no panel to look at.
    const auto changed = static_cast<std::size_t>(
        std::count_if(its.begin(), its.end(), [](const TrendPanel& one) { return one.most > 0; }));
    const std::size_t drawn = std::min(changed, kMostTrendPanels);
    if (drawn == 0) continue;
    FigureGroup group{printable(workload), "cost, the first run = 1", "run", {}, ""};
    if (its.size() > drawn)
      group.note = fmt::format("{} more combinations{}", with_thousands(its.size() - drawn),
                               drawn < changed ? ", which changed less" : " without a difference shown");
    for (std::size_t i = 0; i < drawn; ++i) group.panels.push_back(std::move(its[i].panel));
    figure.groups.push_back(std::move(group));
  }
  return figure.groups.empty() ? std::nullopt : std::optional(std::move(figure));
}

}  // namespace vtax
