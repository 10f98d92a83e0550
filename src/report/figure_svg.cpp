#include "report/figure_svg.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "core/readable.h"
#include "report/figure_axis.h"
#include "report/palette.h"

namespace vtax {
namespace {

constexpr double kMargin = 8;
constexpr double kWideFigure = 500;  // from here on names stand left of what they name
constexpr double kRowHeight = 22;
constexpr double kGapOfGroups = 10;

// How far values lie from the reference.
double reach_of(const FigureGroup& group, double reference) {
  double most = 0;
  for (const FigurePanel& panel : group.panels)
    for (const FigureRow& row : panel.rows)
      for (const auto& point : row.points)
        if (point)
          most =
              std::max({most, std::abs((point->interval ? point->interval->high : point->value) - reference),
                        std::abs((point->interval ? point->interval->low : point->value) - reference)});
  return most;
}

double greatest_of(const FigureGroup& group, std::optional<double> reference) {
  double most = reference.value_or(0);
  for (const FigurePanel& panel : group.panels)
    for (const FigureRow& row : panel.rows)
      for (const auto& point : row.points)
        if (point) most = std::max(most, point->interval ? point->interval->high : point->value);
  return most;
}

std::string title_of(const Figure& figure, const FigureGroup& group, const FigureRow& row,
                     std::size_t platform) {
  return fmt::format("{}, {}{}{}: {}", printable(figure.platforms[platform]), group.title,
                     row.label.empty() ? "" : ", ", row.label, row.points[platform]->text);
}

void draw_point(SvgPicture& picture, double x, double y, double low_x, double high_x, double low_y,
                double high_y, bool has_interval, std::string_view paint, std::string_view title) {
  if (has_interval) picture.whisker(low_x, low_y, high_x, high_y, paint);
  picture.dot(x, y, paint, title);
}

// Where there is little room without the interval.
std::string shown_text(const FigurePoint& point, bool is_wide) {
  return is_wide ? point.text : point.text.substr(0, point.text.find(' '));
}

void draw_row(SvgPicture& picture, const Figure& figure, const FigureGroup& group, const FigureRow& row,
              const LinearAxis& axis, double y) {
  picture.line(axis.from, y, axis.to, y, "line");
  double rightmost = 0, greatest = -1;
  std::string text;
  for (std::size_t i = 0; i < row.points.size(); ++i) {
    const auto& point = row.points[i];
    if (!point) continue;
    const double low = axis.at(point->interval ? point->interval->low : point->value);
    const double high = axis.at(point->interval ? point->interval->high : point->value);
    draw_point(picture, axis.at(point->value), y, low, high, y, y, point->interval.has_value(),
               paint_of(figure.platforms[i]), title_of(figure, group, row, i));
    rightmost = std::max(rightmost, high);
    if (point->value > greatest) {
      greatest = point->value;
      text = shown_text(*point, picture.width() >= kWideFigure);
    }
  }
  // The greatest says its figure; a pointer is told the others'.
  picture.text(rightmost + 10, y + 4, text, {SvgPicture::Align::left, "quiet", 11});
}

// On a ground of its own, so that no line crosses it.
void draw_label_above(SvgPicture& picture, std::string_view label, double y) {
  const std::string text = SvgPicture::fitted(label, picture.width() - 2 * kMargin, 11);
  picture.box(kMargin, y + 2, SvgPicture::text_width(text, 11), 14, "panel");
  picture.text(kMargin, y + 13, text, {SvgPicture::Align::left, "ink", 11});
}

double draw_rows(SvgPicture& picture, const Figure& figure, const FigureGroup& group, double y) {
  const bool is_wide = picture.width() >= kWideFigure;
  const auto& rows = group.panels.front().rows;
  double label_width = 0;
  for (const FigureRow& row : rows) label_width = std::max(label_width, SvgPicture::text_width(row.label));
  label_width = is_wide ? std::min(label_width, picture.width() * 0.45) : 0;
  LinearAxis axis;
  axis.from = kMargin + label_width + (label_width > 0 ? 10 : 6);
  double text_width = 0;  // of the longest figure, which may be the rightmost point's
  for (const FigureRow& row : rows)
    for (const auto& point : row.points)
      if (point) text_width = std::max(text_width, SvgPicture::text_width(shown_text(*point, is_wide), 11));
  axis.to = picture.width() - text_width - kMargin - 10;
  axis.ticks = round_ticks(greatest_of(group, figure.reference), is_wide ? 6 : 4);
  const double row_height = is_wide ? kRowHeight : kRowHeight + 14;
  const double top = y, bottom = y + row_height * static_cast<double>(rows.size());
  draw_x_axis(picture, axis, top, bottom, group.quantity);
  if (figure.reference)
    picture.line(axis.at(*figure.reference), top, axis.at(*figure.reference), bottom, "ink", 1, true);
  for (const FigureRow& row : rows) {
    const double middle = y + (is_wide ? row_height / 2 : row_height - 8);
    if (is_wide)
      picture.text(axis.from - 10, middle + 4, SvgPicture::fitted(row.label, label_width),
                   {SvgPicture::Align::right, "ink", 12});
    else
      draw_label_above(picture, row.label, y);
    draw_row(picture, figure, group, row, axis, middle);
    y += row_height;
  }
  return bottom + kAxisFoot;
}

// Where values lie far apart their logarithms are drawn, so that small ones do not lie on each other.
struct FactorAxis {
  double from = 0, to = 0, least = 0, most = 0;
  bool is_logarithmic = false;

  [[nodiscard]] double at(double value) const {
    if (most == least) return (from + to) / 2;
    const auto scaled = [&](double x) { return is_logarithmic ? std::log(x) : x; };
    return from + (to - from) * (scaled(value) - scaled(least)) / (scaled(most) - scaled(least));
  }
};

FactorAxis factor_axis(const FigureGroup& group) {
  constexpr double kFarApart = 16;
  FactorAxis axis;
  axis.least = axis.most = group.panels.front().rows.front().x;
  for (const FigurePanel& panel : group.panels)
    for (const FigureRow& row : panel.rows) {
      axis.least = std::min(axis.least, row.x);
      axis.most = std::max(axis.most, row.x);
    }
  axis.is_logarithmic = axis.least > 0 && axis.most / axis.least >= kFarApart;
  return axis;
}

struct Place {
  double left, top, width, height;
};

// In two lines, broken at a comma, where it is too long for one.
void draw_title(SvgPicture& picture, std::string_view title, double x, double y, double width) {
  constexpr double kSize = 11;
  const SvgPicture::Font font{SvgPicture::Align::left, "ink", kSize, true};
  if (SvgPicture::text_width(title, kSize) > width) {
    std::size_t cut = std::string_view::npos;
    for (std::size_t at = title.find(", "); at != std::string_view::npos; at = title.find(", ", at + 1))
      if (SvgPicture::text_width(title.substr(0, at + 1), kSize) <= width) cut = at + 1;
    if (cut != std::string_view::npos) {
      picture.text(x, y, title.substr(0, cut), font);
      title.remove_prefix(cut + 1);
      y += 13;
    }
  }
  picture.text(x, y, SvgPicture::fitted(title, width, kSize), font);
}

void draw_panel(SvgPicture& picture, const Figure& figure, const FigureGroup& group, const FigurePanel& panel,
                FactorAxis x_axis, const Place& place) {
  LinearAxis y_axis;
  y_axis.ticks = figure.is_around_reference
                     ? ticks_around(*figure.reference, reach_of(group, *figure.reference))
                     : round_ticks(greatest_of(group, figure.reference), 4);
  double tick_width = 0;
  for (const double tick : y_axis.ticks)
    tick_width = std::max(tick_width, SvgPicture::text_width(tick_text(tick), 11));
  const double left = place.left + tick_width + 6, right = place.left + place.width - 12;
  y_axis.from = place.top + place.height - kAxisFoot;
  y_axis.to = place.top + 34;
  x_axis.from = left + 20;
  x_axis.to = right - 20;
  draw_title(picture, panel.title, left, place.top + 12, right - left);
  for (const double tick : y_axis.ticks) {
    picture.line(left, y_axis.at(tick), right, y_axis.at(tick), "line");
    picture.text(left - 6, y_axis.at(tick) + 4, tick_text(tick), {SvgPicture::Align::right, "quiet", 11});
  }
  if (figure.reference)
    picture.line(left, y_axis.at(*figure.reference), right, y_axis.at(*figure.reference), "ink", 1, true);
  double free_from = left - 20;
  for (const FigureRow& row : panel.rows) {
    const double half = SvgPicture::text_width(row.label, 10) / 2;
    if (x_axis.at(row.x) - half < free_from) continue;
    picture.text(x_axis.at(row.x), y_axis.from + 14, row.label, {SvgPicture::Align::middle, "quiet", 10});
    free_from = x_axis.at(row.x) + half + 4;
  }
  picture.text((left + right) / 2, y_axis.from + 30, group.over, {SvgPicture::Align::middle, "quiet", 11});
  for (std::size_t i = 0; i < figure.platforms.size(); ++i) {
    std::vector<std::pair<double, double>> line;
    for (const FigureRow& row : panel.rows)
      if (row.points[i]) line.emplace_back(x_axis.at(row.x), y_axis.at(row.points[i]->value));
    if (line.empty()) continue;
    const std::string_view paint = paint_of(figure.platforms[i]);
    if (line.size() > 1) picture.polyline(line, paint);
    for (const FigureRow& row : panel.rows) {
      const auto& point = row.points[i];
      if (!point) continue;
      const double x = x_axis.at(row.x), y = y_axis.at(point->value);
      draw_point(picture, x, y, x, x, point->interval ? y_axis.at(point->interval->low) : y,
                 point->interval ? y_axis.at(point->interval->high) : y, point->interval.has_value(), paint,
                 title_of(figure, group, row, i));
    }
  }
}

double draw_panels(SvgPicture& picture, const Figure& figure, const FigureGroup& group, double y) {
  constexpr double kPanelHeight = 200;
  const bool is_wide = picture.width() >= kWideFigure;
  const std::size_t across = std::min<std::size_t>(group.panels.size(), is_wide ? 3 : 1);
  const double width =
      (picture.width() - 2 * kMargin) / static_cast<double>(std::max<std::size_t>(across, is_wide ? 2 : 1));
  const FactorAxis axis = factor_axis(group);
  picture.text(kMargin, y + 8, group.quantity, {SvgPicture::Align::left, "quiet", 11});
  y += 14;
  for (std::size_t i = 0; i < group.panels.size(); ++i)
    draw_panel(picture, figure, group, group.panels[i], axis,
               {kMargin + width * static_cast<double>(i % across),
                y + kPanelHeight * static_cast<double>(i / across), width, kPanelHeight});
  return y + kPanelHeight * std::ceil(static_cast<double>(group.panels.size()) / static_cast<double>(across));
}

}  // namespace

std::string figure_svg(const Figure& figure, double width, SvgPicture::Use use) {
  SvgPicture picture(width);
  std::vector<std::pair<std::string, std::string_view>> entries;
  for (const std::string& platform : figure.platforms)
    entries.emplace_back(printable(platform), paint_of(platform));
  double y = draw_legend(picture, entries, kMargin, 18);
  for (const FigureGroup& group : figure.groups) {
    if (&group != &figure.groups.front()) y += kGapOfGroups;
    picture.text(kMargin, y + 14, group.title, {SvgPicture::Align::left, "ink", 13, true});
    y += 24;
    y = group.over.empty() ? draw_rows(picture, figure, group, y) : draw_panels(picture, figure, group, y);
    if (group.note.empty()) continue;
    picture.text(kMargin, y + 8, group.note, {SvgPicture::Align::left, "quiet", 11});
    y += 16;
  }
  return picture.finish(y + kMargin, use, figure.label);
}

}  // namespace vtax
