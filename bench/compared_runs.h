#pragma once

#include <filesystem>
#include <string>

#include "bench/must.h"
#include "query/comparison.h"
#include "record/run_reader.h"
#include "report/comparison_words.h"

namespace vtax {

// Two run files as `vtax compare` sees them; what it would not let through a gate ends the program.
inline RunComparison compared(const std::filesystem::path& before, const std::filesystem::path& after) {
  RunReader a = must(RunReader::open(before)), b = must(RunReader::open(after));
  RunComparison comparison = must(compare_runs(a, b));
  if (comparison.cells.empty() || !comparison.only_before.empty() || !comparison.only_after.empty() ||
      !comparison.partly_failed_after.empty() || comparison.not_run_before + comparison.not_run_after > 0)
    quit("the two runs do not have the same cells, all of them whole");
  for (const CellChange& cell : comparison.cells) {
    if (cell.samples.is_too_few) quit("too few repetitions: 4 of each cell at least");
  }
  return comparison;
}

}  // namespace vtax
