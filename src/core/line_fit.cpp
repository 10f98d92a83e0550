#include "core/line_fit.h"

#include <algorithm>
#include <cmath>

namespace vtax {

std::optional<LineFit> fit_line(const std::vector<FitPoint>& points) {
  const auto n = static_cast<double>(points.size());
  double x = 0, y = 0, xx = 0, xy = 0, yy = 0;
  for (const FitPoint& p : points) x += p.x / n, y += p.y / n;
  for (const FitPoint& p : points) {
    xx += (p.x - x) * (p.x - x);
    xy += (p.x - x) * (p.y - y);
    yy += (p.y - y) * (p.y - y);
  }
  if (points.size() < 2 || xx == 0) return std::nullopt;
  LineFit fit{y - xy / xx * x, xy / xx, std::nullopt, 0};
  double left = 0;
  for (const FitPoint& p : points) {
    const double residual = p.y - fit.constant - fit.slope * p.x;
    left += residual * residual;
    fit.greatest_residual = std::max(fit.greatest_residual, std::abs(residual));
  }
  if (yy > 0 && points.size() > 2) fit.r_squared = std::max(0.0, 1 - left / yy);
  return fit;
}

}  // namespace vtax
