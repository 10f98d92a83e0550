#include "query/find_cell.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "core/readable.h"
#include "query/phrase.h"

namespace vtax {
namespace {

bool fits(const RunCosts& costs, const Cell& cell, const Factors& factors) {
  return std::all_of(factors.begin(), factors.end(), [&](const auto& wanted) {
    const auto found = cell.factors.find(wanted.first);
    if (found == cell.factors.end()) return false;
    return found->second == wanted.second || costs.is_set_aside(cell.platform(), wanted.first);
  });
}

std::string differing_factors(const std::vector<const Cell*>& cells) {
  std::set<std::string> names;
  for (const Cell* cell : cells) {
    for (const auto& [name, value] : cells.front()->factors) {
      const auto found = cell->factors.find(name);
      if (found == cell->factors.end() || found->second != value) names.insert(printable(name));
    }
  }
  return fmt::format("{}", fmt::join(names, ", "));
}

}  // namespace

Found<const Cell*> find_cell(const RunCosts& costs, const Factors& factors) {
  std::vector<const Cell*> fitting;
  for (const Cell& cell : costs.cells) {
    if (fits(costs, cell, factors)) fitting.push_back(&cell);
  }
  if (fitting.empty())
    return tl::unexpected(Obstacle{fmt::format("cell {} is not in this run", cell_name(factors)), true});
  if (fitting.size() > 1) {
    return obstacle(fmt::format("{} cells of this run fit {}: they differ in {}", fitting.size(),
                                cell_name(factors), differing_factors(fitting)));
  }
  if (!fitting.front()->cost()) return obstacle(fmt::format("cell {} did not end", cell_name(factors)));
  return fitting.front();
}

Found<const WindowCost*> find_cost(const RunCosts& costs, const Factors& factors) {
  const auto cell = find_cell(costs, factors);
  if (!cell) return tl::unexpected(cell.error());
  return (*cell)->cost();
}

std::string cell_name(const Factors& factors) {
  std::set<std::string> all;
  for (const auto& [name, value] : factors) all.insert(name);
  const auto platform = factors.find("platform");
  const std::string words = full_phrase(factors, all);
  return platform == factors.end() ? words : fmt::format("{}, {}", printable(platform->second), words);
}

}  // namespace vtax
