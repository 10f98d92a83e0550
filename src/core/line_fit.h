#pragma once

#include <optional>
#include <vector>

namespace vtax {

struct FitPoint {
  double x = 0, y = 0;
};

// y = constant + slope x
struct LineFit {
  double constant = 0;
  double slope = 0;
  // Part of the variation of y that the line explains, 0 to 1; nothing where y does not vary, or where two
  // points are all there are.
  std::optional<double> r_squared;
  double greatest_residual = 0;  // of all points, in units of y
};

// Ordinary least squares. Nothing below two different x.
[[nodiscard]] std::optional<LineFit> fit_line(const std::vector<FitPoint>& points);

}  // namespace vtax
