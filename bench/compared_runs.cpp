#include "bench/compared_runs.h"

#include <fmt/format.h>

#include "report/phrase.h"

namespace vtax {

std::string name_among(const CellChange& cell, const RunComparison& comparison) {
  VaryingFactors varying;
  for (const CellChange& one : comparison.cells) varying.add(one.factors);
  return fmt::format("{}, {}", cell.factors.at("platform"),
                     full_phrase(cell.factors, varying.of(cell.factors.at("workload"))));
}

}  // namespace vtax
