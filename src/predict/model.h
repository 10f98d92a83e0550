#pragma once

#include <array>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "core/statistics.h"
#include "predict/cell_space.h"
#include "predict/gaussian_process.h"
#include "predict/known_cells.h"

// What a cell that was not measured would cost, told from cells that were.
namespace vtax::predict {

// What a prediction rests on, by which its interval is as wide as it is.
enum class Reach {
  cell,   // each of its factors' values was measured, not all of them together
  pair,   // two values that were never measured together
  level,  // a number between two that were measured
};

struct Estimate {
  double value = 0;
  Interval interval;  // 90 %, from what the model got wrong of cells that it did not know
};

struct Prediction {
  Reach reach = Reach::cell;
  Unit unit{};
  std::map<std::string, Estimate> figures;  // by name (predict/known_cells.h): cost, layers, rate, busy
};

// One figure's process, and how far its guesses were off.
struct Learned {
  std::vector<std::string> axes;  // what the cells that have the figure differ in: factors and traits
  Scales scales;                  // one an axis
  Covariance covariance;
  // The quantile of 90 % of |error| / deviation, by what was left out.
  double off_by_cell = 0, off_by_pair = 0, off_by_level = 0;
};

// What an error is of: the known cells are left out one by one (cell), all of one number's level at once
// (level), all that have two factors' values together (pair), and the part that was set aside before anything
// was fitted (held out).
struct Score {
  std::string test, method;
  std::size_t cells = 0;
  double median = 0, p90 = 0;                 // of |predicted / measured - 1|
  std::optional<double> covered = {};         // share inside its interval of 90 %
  std::optional<double> interval_width = {};  // median of high / low - 1
  struct Stratum {
    std::string name;  // a factor and its value
    double share = 0;  // inside
  };
  std::optional<Stratum> least_covered = {};  // of the values that ten of the cells have
};

inline constexpr std::string_view kOwnMethod = "vtax";

class Model {
 public:
  struct Parts {
    KnownCells known;
    std::map<std::string, Learned> learned;  // by figure and unit: "cost per KB"
    std::vector<Score> scores;
    double floor = 0;  // predict/known_cells.h
  };

  // Errors: a part does not fit the others (a figure without a process, processes of other axes).
  [[nodiscard]] static Result<Model> of(Parts parts);

  // The error's `why` says why nothing is promised.
  [[nodiscard]] Result<Prediction> predict(const Factors& cell) const;

  [[nodiscard]] const Parts& parts() const { return parts_; }
  [[nodiscard]] const CellSpace& space() const { return space_; }
  // The cell as it was measured; null where it was not.
  [[nodiscard]] const KnownCell* measured(const Factors& cell) const;
  // Known cells of its workload by how far they are from a cell, the nearest first; `most` of them.
  [[nodiscard]] std::vector<const KnownCell*> nearest(const Factors& cell, std::size_t most) const;

 private:
  struct Process {
    std::vector<std::size_t> cells;  // places of those that have the figure
    std::vector<Factors> traits;     // theirs
    CellSpace space;                 // of their traits
    GaussianProcess process;
  };

  explicit Model(Parts parts);
  // On each axis, from the process's cells to one of these traits.
  [[nodiscard]] std::vector<Eigen::VectorXd> distances(const Process& process, const Scales& scales,
                                                       const Factors& traits) const;

  Parts parts_;
  CellSpace space_;  // of factors, as studies name them
  std::map<std::string, Process> processes_;
};

// "cost per KB": each unit's cells have processes of their own.
[[nodiscard]] std::string key_of(const std::string& figure, Unit unit);

// Of the figures that a model learns: which cells have it, its logarithms and their own variances.
struct TrainingSet {
  std::vector<std::size_t> cells;
  std::vector<Factors> factors, traits;
  Eigen::VectorXd values, variances;
};
[[nodiscard]] std::map<std::string, TrainingSet> training_sets(const KnownCells& known);

}  // namespace vtax::predict
