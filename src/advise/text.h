#pragma once

#include <ostream>

#include "advise/advice.h"
#include "advise/ranking_score.h"
#include "predict/model.h"

// What people and programs read of advice.
namespace vtax::advise {

// One page of 80 columns: the best placements with cost by layer, how busy what is, whether there is a clear
// winner, limits that are near, what the first one rests on, and what is left out and why.
void write_advice(const Server& server, const Advice& advice, const predict::Model& model, std::ostream& out);

// All placements, the best first. Its form: docs/advice.md.
void write_advice_json(const Server& server, const Advice& advice, const predict::Model& model,
                       std::ostream& out);

void write_score(const Server& server, const RankingScore& score, std::ostream& out);
void write_score_json(const Server& server, const RankingScore& score, std::ostream& out);

}  // namespace vtax::advise
