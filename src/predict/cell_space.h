#pragma once

#include <Eigen/Dense>
#include <array>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "query/varying_factors.h"

// How far cells are from each other, factor by factor.
namespace vtax::predict {

// How numbers are spread on an axis before their distance is taken: what a message of x bytes costs may go by
// its logarithm, by its bytes once there are more than a packet's worth, or by how many there are to a
// packet.
enum class Scale { log_1, log_200, log_1500, log_6000, log_24000, reciprocal };
inline constexpr std::array kScales{Scale::log_1,    Scale::log_200,   Scale::log_1500,
                                    Scale::log_6000, Scale::log_24000, Scale::reciprocal};
[[nodiscard]] std::string_view name(Scale scale);  // "log(x + 1500)", "1 / (1 + x / 1448)"
[[nodiscard]] std::optional<Scale> scale_named(std::string_view text);

using Scales = std::vector<Scale>;  // one an axis; of axes of names it means nothing

class CellSpace {
 public:
  struct Axis {
    std::string factor;
    bool is_numeric = false;
    double low = 0, high = 0;      // of numbers, as known
    std::set<std::string> levels;  // known values
  };

  // The factors that take more than one value among the cells, and those that only some of them have.
  explicit CellSpace(const std::vector<Factors>& cells);

  [[nodiscard]] const std::vector<Axis>& axes() const { return axes_; }
  [[nodiscard]] std::vector<std::string> names() const;  // of the axes' factors, in order

  // Of two cells on one axis: of names 0 or 1; of numbers the logarithm of their ratio to the base 4, so that
  // a step that a study usually takes is 1; 1 where one cell has the factor and the other has not.
  [[nodiscard]] double distance(std::size_t axis, const Factors& a, const Factors& b, Scale scale) const;

  // For each axis the distances of every cell of `a` to every cell of `b`.
  [[nodiscard]] std::vector<Eigen::MatrixXd> distances(const std::vector<Factors>& a,
                                                       const std::vector<Factors>& b,
                                                       const Scales& scales) const;
  [[nodiscard]] Scales usual_scales() const { return Scales(axes_.size(), Scale::log_1); }

  // The cell by the factors that known cells of its workload have: what it does not name has its usual value,
  // what they do not name and it has as usual is left out. So runs of an older vtax, which had fewer factors,
  // serve.
  [[nodiscard]] Factors in_its_terms(Factors cell) const;

  // Why nothing is promised of a cell in its terms: a name that no known cell has, a number beyond theirs, a
  // factor that always had one value and has another. Nothing where it is within what is known.
  [[nodiscard]] std::optional<std::string> beyond(const Factors& cell) const;

  // The axes on which no known cell has the cell's number: it lies between levels.
  [[nodiscard]] bool is_between_levels(const Factors& cell) const;

 private:
  std::vector<Axis> axes_;
  Factors fixed_;                                            // what all cells have alike
  std::map<std::string, std::set<std::string>> factors_of_;  // by workload the factors that its cells have
};

}  // namespace vtax::predict
