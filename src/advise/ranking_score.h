#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "advise/advice.h"
#include "predict/known_cells.h"

// Whether the order in which advice puts placements is the one that was measured.
namespace vtax::advise {

// Kendall's tau-b (Kendall 1945: with ties) of two lists of equal length: 1 where they order alike, -1 the
// other way round. Nothing where one of them orders nothing.
[[nodiscard]] std::optional<double> kendall_tau(const std::vector<double>& a, const std::vector<double>& b);

struct RankingScore {
  std::size_t placements = 0;   // that advice told of and that were measured
  std::size_t known_cells = 0;  // of theirs, that the advice rested on as measured: they prove nothing
  std::size_t cells = 0;
  std::optional<double> tau;
  double regret = 0;           // measured aim of the one that is told to be the best, over the least; less 1
  bool best_in_top_3 = false;  // whether the best measured one is among the first three told
  std::size_t told_wrongly = 0;  // whether all wishes hold
  std::string told_best, measured_best;
};

// `advice`: of the server, by a model. `measured`: cells of a run. Errors (usage): fewer than two placements
// were measured; an aim that run files do not show.
[[nodiscard]] Result<RankingScore> score_ranking(const Server& server, const Advice& advice,
                                                 const predict::KnownCells& measured);

}  // namespace vtax::advise
