#pragma once

#include <ostream>
#include <vector>

#include "predict/fit.h"
#include "predict/model.h"

// What people and programs read of a model.
namespace vtax::predict {

// Its errors by test, beside the baselines'; where a baseline is better, that is said.
void write_scores(const Model& model, std::ostream& out);

// A line a cell: cost with its interval of 90 %, rate, the busiest domain; then its layers. What was measured
// is marked.
void write_predictions(const Model& model, const std::vector<Factors>& cells, std::ostream& out);
void write_predictions_json(const Model& model, const std::vector<Factors>& cells, std::ostream& out);

void write_check(const Check& check, std::ostream& out);
void write_check_json(const Check& check, std::ostream& out);

}  // namespace vtax::predict
