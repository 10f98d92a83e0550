#include "report/figure_axis.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "core/readable.h"

namespace vtax {

std::vector<double> round_ticks(double most, int wanted) {
  if (!(most > 0)) return {0, 1};
  const double rough = most / wanted, power = std::pow(10, std::floor(std::log10(rough)));
  double step = 10 * power;
  for (const double nice : {1.0, 2.0, 2.5, 5.0})
    if (nice * power >= rough * (1 - 1e-9)) {
      step = nice * power;
      break;
    }
  std::vector<double> ticks{0};
  for (int i = 1; ticks.back() < most * (1 - 1e-9); ++i) ticks.push_back(i * step);
  return ticks;
}

std::vector<double> ticks_around(double middle, double reach) {
  constexpr double kLeastReach = 0.01;
  const std::vector<double> half = round_ticks(std::max(reach, kLeastReach), 2);
  std::vector<double> ticks;
  for (std::size_t i = half.size(); i-- > 1;) ticks.push_back(middle - half[i]);
  for (const double tick : half) ticks.push_back(middle + tick);
  return ticks;
}

std::string tick_text(double value) {
  if (value >= 1e9) return fmt::format("{:g} G", value * 1e-9);
  if (value >= 1e6) return fmt::format("{:g} M", value * 1e-6);
  if (value >= 1000) return with_thousands(static_cast<std::uint64_t>(std::llround(value)));
  return fmt::format("{:g}", value);
}

void draw_x_axis(SvgPicture& picture, const LinearAxis& axis, double top, double bottom,
                 std::string_view name) {
  constexpr double kTickSize = 11;
  for (const double tick : axis.ticks) {
    picture.line(axis.at(tick), top, axis.at(tick), bottom, "line");
    picture.text(axis.at(tick), bottom + 14, tick_text(tick),
                 {SvgPicture::Align::middle, "quiet", kTickSize});
  }
  picture.text((axis.from + axis.to) / 2, bottom + 30, name, {SvgPicture::Align::middle, "quiet", kTickSize});
}

double draw_legend(SvgPicture& picture, const std::vector<std::pair<std::string, std::string_view>>& entries,
                   double x, double y) {
  constexpr double kSquare = 11, kGap = 16, kLineHeight = 18;
  double at = x;
  for (const auto& [name, paint] : entries) {
    const double wide = kSquare + 5 + SvgPicture::text_width(name);
    if (at > x && at + wide > picture.width()) {
      at = x;
      y += kLineHeight;
    }
    picture.box(at, y - kSquare + 2, kSquare, kSquare, paint);
    picture.text(at + kSquare + 5, y + 1, name);
    at += wide + kGap;
  }
  return y + kLineHeight;
}

}  // namespace vtax
