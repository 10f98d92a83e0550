#pragma once

#include <string>
#include <vector>

#include "report/svg_picture.h"

namespace vtax {

// Round values from 0 to at least `most`, some `wanted` steps apart: 0, 2, 4, 6.
[[nodiscard]] std::vector<double> round_ticks(double most, int wanted);

// Round values around `middle`, as far from it as `reach` at least on both sides: 0.95, 1, 1.05.
[[nodiscard]] std::vector<double> ticks_around(double middle, double reach);

// From the first tick to the last one, in pixels.
struct LinearAxis {
  double from = 0, to = 0;
  std::vector<double> ticks;

  [[nodiscard]] double at(double value) const {
    return from + (to - from) * (value - ticks.front()) / (ticks.back() - ticks.front());
  }
};

// "3,000" or "0.5", of millions and more "24 M".
[[nodiscard]] std::string tick_text(double value);

// Vertical lines with their values below, and the axis's name in the middle below them; its foot is
// `kAxisFoot` high.
inline constexpr double kAxisFoot = 36;
void draw_x_axis(SvgPicture& picture, const LinearAxis& axis, double top, double bottom,
                 std::string_view name);

// Names with a coloured square before each, in lines of the picture's width from `x`; returns the next y.
double draw_legend(SvgPicture& picture, const std::vector<std::pair<std::string, std::string_view>>& entries,
                   double x, double y);

}  // namespace vtax
