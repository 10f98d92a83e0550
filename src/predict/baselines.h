#pragma once

#include <Eigen/Dense>
#include <vector>

#include "predict/cell_space.h"
#include "predict/model.h"

// What a model has to beat. All of logarithms.
namespace vtax::predict {

// Of each cell of `group` what the nearest other one (the sum of distances over the axes) has; the first of
// several.
[[nodiscard]] std::vector<double> nearest_cells(const std::vector<Eigen::MatrixXd>& distances,
                                                const TrainingSet& set,
                                                const std::vector<std::size_t>& group);

// Each factor multiplies the cost, whatever the others are: least squares, of the cells that are not in
// `group`; a level that none of them has multiplies by 1.
[[nodiscard]] std::vector<double> additive(const CellSpace& space, const TrainingSet& set,
                                           const std::vector<std::size_t>& group);

}  // namespace vtax::predict
