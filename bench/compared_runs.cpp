#include "bench/compared_runs.h"

#include <fmt/format.h>

#include "report/phrase.h"

namespace vtax {

std::string name_among(const CellChange& cell, const RunComparison& comparison) {
  const std::string& workload = cell.factors.at("workload");
  std::vector<Cell> all;
  for (const CellChange& one : comparison.cells) all.push_back({one.factors, {}, std::nullopt, true});
  return fmt::format("{}, {}", cell.factors.at("platform"),
                     full_phrase(cell.factors, varying_factors(all, workload)));
}

}  // namespace vtax
