#include "predict/baselines.h"

#include <algorithm>
#include <limits>
#include <map>
#include <string>

namespace vtax::predict {
namespace {

std::vector<bool> marks_of(std::size_t size, const std::vector<std::size_t>& group) {
  std::vector<bool> marks(size, false);
  for (const std::size_t cell : group) marks[cell] = true;
  return marks;
}

}  // namespace

std::vector<double> nearest_cells(const std::vector<Eigen::MatrixXd>& distances, const TrainingSet& set,
                                  const std::vector<std::size_t>& group) {
  const auto is_out = marks_of(set.factors.size(), group);
  std::vector<double> guesses;
  for (const std::size_t cell : group) {
    double least = std::numeric_limits<double>::infinity(), guess = set.values.mean();
    for (std::size_t other = 0; other < is_out.size(); ++other) {
      if (is_out[other]) continue;
      double far = 0;
      for (const Eigen::MatrixXd& axis : distances)
        far += axis(static_cast<Eigen::Index>(cell), static_cast<Eigen::Index>(other));
      if (far < least) {
        least = far;
        guess = set.values[static_cast<Eigen::Index>(other)];
      }
    }
    guesses.push_back(guess);
  }
  return guesses;
}

std::vector<double> additive(const CellSpace& space, const TrainingSet& set,
                             const std::vector<std::size_t>& group) {
  std::map<std::pair<std::string, std::string>, Eigen::Index> columns;
  for (const auto& axis : space.axes())
    for (const std::string& level : axis.levels)
      columns.emplace(std::pair(axis.factor, level), static_cast<Eigen::Index>(columns.size()) + 1);
  const auto width = static_cast<Eigen::Index>(columns.size()) + 1;
  const auto row_of = [&](const Factors& cell) {
    Eigen::VectorXd row = Eigen::VectorXd::Zero(width);
    row[0] = 1;
    for (const auto& [factor, value] : cell)
      if (const auto column = columns.find({factor, value}); column != columns.end()) row[column->second] = 1;
    return row;
  };
  constexpr double kRidge = 1e-6;  // levels add up to 1: without it there is no single solution
  Eigen::MatrixXd normal = Eigen::MatrixXd::Identity(width, width) * kRidge;
  Eigen::VectorXd right = Eigen::VectorXd::Zero(width);
  const auto is_out = marks_of(set.factors.size(), group);
  double sum = 0, known = 0;
  for (std::size_t cell = 0; cell < is_out.size(); ++cell)
    if (!is_out[cell]) {
      sum += set.values[static_cast<Eigen::Index>(cell)];
      ++known;
    }
  const double mean = known > 0 ? sum / known : 0;
  for (std::size_t cell = 0; cell < is_out.size(); ++cell) {
    if (is_out[cell]) continue;
    const Eigen::VectorXd row = row_of(set.factors[cell]);
    normal += row * row.transpose();
    right += row * (set.values[static_cast<Eigen::Index>(cell)] - mean);
  }
  const Eigen::VectorXd factors = normal.ldlt().solve(right);
  std::vector<double> guesses;
  for (const std::size_t cell : group) guesses.push_back(mean + row_of(set.factors[cell]).dot(factors));
  return guesses;
}

}  // namespace vtax::predict
