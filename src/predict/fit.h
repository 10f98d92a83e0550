#pragma once

#include <functional>
#include <string>

#include "predict/model.h"

namespace vtax::predict {

struct FitOptions {
  double hold_out =
      0.2;  // share of the cells by which the model is judged before it learns them too; 0: none
};

// Which cells are held out: by a hash of their factors, so that the choice is the same for the same cells and
// nobody can choose it.
[[nodiscard]] bool is_held_out(const Factors& cell, double share);

// Learns every figure, scores it, and learns again with the held-out cells. `progress`: a line before each
// step. Errors: fewer than 12 cells, more than 2,000 (time and memory go by the cube and the square), nothing
// that varies.
[[nodiscard]] Result<Model> fit(KnownCells known, const FitOptions& options,
                                const std::function<void(const std::string&)>& progress);

// Of a run that was measured after: each of its cells that the model promises something of.
struct Check {
  struct Cell {
    Factors factors;
    double predicted = 0, measured = 0;
    Interval interval;
    Reach reach{};
  };
  std::vector<Cell> cells;                                  // the worst first
  std::vector<std::pair<Factors, std::string>> no_promise;  // and why
  std::size_t known = 0;                                    // cells that the model was made of: not scored
  std::optional<Score> score;
};
[[nodiscard]] Result<Check> check(const Model& model, const KnownCells& measured);

}  // namespace vtax::predict
