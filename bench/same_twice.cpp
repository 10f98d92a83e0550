// A against A: how often does `vtax compare` see a difference where there is none?
//   build/release/same_twice A.vtax B.vtax
// Of two runs of one study by builds of vtax that differ in their layout alone (same_twice.sh makes them).
// Prints each cell that is called different or whose median moved by more than 2 %, and the shares. Exit code
// 1 where more than 5 % of the cells are called different, or one median moved by more than 2 %.

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "bench/compared_runs.h"

int main(int argc, char** argv) {
  using namespace vtax;
  if (argc != 3) quit("same_twice A.vtax B.vtax");
  constexpr double kMostCalledDifferent = 0.05, kMostMoved = 0.02;
  const RunComparison comparison = compared(argv[1], argv[2]);
  std::size_t different = 0, moved = 0, identical = 0;
  double farthest = 0;
  for (const CellChange& cell : comparison.cells) {
    const double move = cell.relative().value_or(0);
    farthest = std::max(farthest, std::abs(move));
    identical += std::size_t{cell.is_identical};
    different += std::size_t{cell.is_shown()};
    moved += std::size_t{std::abs(move) > kMostMoved};
    if (!cell.is_shown() && std::abs(move) <= kMostMoved) continue;
    fmt::print("{:+6.2f} %  {}  {}\n", 100 * move, cell.is_shown() ? "different" : "~        ",
               name_among(cell, comparison));
  }
  const auto cells = static_cast<double>(comparison.cells.size());
  fmt::print(
      "{} cells, {} identical; called different: {} ({:.1f} %); medians moved by more than {:.0f} %: {}, "
      "the farthest by {:.2f} %\n",
      comparison.cells.size(), identical, different, 100 * static_cast<double>(different) / cells,
      100 * kMostMoved, moved, 100 * farthest);
  return static_cast<double>(different) <= kMostCalledDifferent * cells && moved == 0 ? 0 : 1;
}
