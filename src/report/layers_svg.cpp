#include <fmt/format.h>

#include <algorithm>

#include "core/readable.h"
#include "query/cost_text.h"
#include "query/phrase.h"
#include "query/repetitions.h"
#include "report/figure_axis.h"
#include "report/figure_svg.h"

namespace vtax {
namespace {

struct LayersBar {
  const Cell* cell;
  std::array<double, kLayers.size()> layers;
  double total;
  std::optional<Interval> interval;
  std::string text;  // "16,850  x5.80"
};

std::vector<LayersBar> bars_of(const Comparison& comparison, Unit unit) {
  std::vector<LayersBar> bars;
  for (const Cell* cell : comparison.cells) {
    const WindowCost* cost = cell->cost();
    const auto total = cost == nullptr ? std::nullopt : per_unit(cost->total, cost->work, unit);
    if (!total) continue;
    LayersBar bar{cell, {}, *total, {}, cost_text(*total, cost->in_time)};
    for (std::size_t i = 0; i < kLayers.size(); ++i)
      bar.layers[i] = per_unit(cost->of(kLayers[i]), cost->work, unit).value_or(0);
    if (const auto interval = cost_interval(*cell, unit)) bar.interval = interval->range;
    if (const std::string tax = marked_tax(comparison, *cell, unit); tax != "-") bar.text += "  ×" + tax;
    bars.push_back(std::move(bar));
  }
  return bars;
}

double greatest_of(const std::vector<LayersBar>& bars) {
  double most = 0;
  for (const LayersBar& bar : bars) most = std::max(most, bar.interval ? bar.interval->high : bar.total);
  return most;
}

// From here on in that unit.
void give_in(const CostUnit& unit, std::vector<LayersBar>& bars) {
  for (LayersBar& bar : bars) {
    bar.total /= unit.size;
    for (double& layer : bar.layers) layer /= unit.size;
    if (bar.interval) bar.interval = Interval{bar.interval->low / unit.size, bar.interval->high / unit.size};
  }
}

}  // namespace

std::optional<std::string> layers_svg(const RunCosts& costs, const Comparison& comparison, Unit unit,
                                      double width, SvgPicture::Use use) {
  constexpr double kEdge = 8, kBarHeight = 26, kBarRowHeight = 38;
  auto bars = bars_of(comparison, unit);
  if (bars.empty()) return std::nullopt;
  const std::string& workload = comparison.factors.at("workload");
  const CostUnit counted = cost_unit(greatest_of(bars), in_time(costs));
  give_in(counted, bars);
  const std::string quantity = fmt::format("{} per {}", counted.name, noun(unit, workload));
  const double most = greatest_of(bars);
  double label_width = 0, text_width = 0;
  for (const LayersBar& bar : bars) {
    label_width = std::max(label_width, SvgPicture::text_width(printable(bar.cell->platform())));
    text_width = std::max(text_width, SvgPicture::text_width(bar.text));
  }
  SvgPicture picture(width);
  std::vector<std::pair<std::string, std::string_view>> entries;
  for (const Layer layer : kLayers)
    if (std::any_of(bars.begin(), bars.end(),
                    [&](const LayersBar& bar) { return bar.cell->cost()->of(layer) > 0; }))
      entries.emplace_back(name(layer), name(layer));
  const std::string title = full_phrase(comparison.factors, costs.varying.of(workload));
  picture.text(kEdge, 18, SvgPicture::fitted(title, width - 2 * kEdge, 13),
               {SvgPicture::Align::left, "ink", 13, true});
  double y = draw_legend(picture, entries, kEdge, 40);
  LinearAxis axis;
  axis.from = kEdge + label_width + 10;
  axis.to = width - text_width - kEdge - 10;
  axis.ticks = round_ticks(most, width > kNarrowFigureWidth ? 6 : 3);
  const double bottom = y + kBarRowHeight * static_cast<double>(bars.size());
  draw_x_axis(picture, axis, y, bottom, quantity);
  for (const LayersBar& bar : bars) {
    const double top = y + (kBarRowHeight - kBarHeight) / 2, middle = y + kBarRowHeight / 2;
    const std::string platform = printable(bar.cell->platform());
    picture.text(axis.from - 8, middle + 4, platform, {SvgPicture::Align::right, "ink", 12});
    double sum = 0;
    for (std::size_t i = 0; i < kLayers.size(); ++i) {
      if (bar.layers[i] <= 0) continue;
      const double from = axis.at(sum), to = axis.at(sum + bar.layers[i]);
      picture.box(
          from, top, to - from, kBarHeight, name(kLayers[i]),
          fmt::format("{}, {}: {} {}", platform, name(kLayers[i]), readable(bar.layers[i]), quantity));
      sum += bar.layers[i];
    }
    if (bar.interval)
      picture.whisker(axis.at(bar.interval->low), middle, axis.at(bar.interval->high), middle, "ink");
    picture.text(axis.at(bar.interval ? bar.interval->high : bar.total) + 10, middle + 4, bar.text,
                 {SvgPicture::Align::left, "ink", 12, true});
    y += kBarRowHeight;
  }
  std::string label = title + ", " + quantity + ":";
  for (const LayersBar& bar : bars)
    label += fmt::format("{} {} {}", &bar == &bars.front() ? "" : ",", printable(bar.cell->platform()),
                         readable(bar.total));
  return picture.finish(bottom + kAxisFoot + kEdge, use, label);
}

}  // namespace vtax
