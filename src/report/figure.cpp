#include "report/figure.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <functional>
#include <map>
#include <set>
#include <utility>

#include "core/readable.h"
#include "model/capacity.h"
#include "query/measured.h"
#include "query/phrase.h"
#include "query/repetitions.h"

namespace vtax {
namespace {

constexpr std::size_t kLeastForLine = 3;  // values of a factor
constexpr std::size_t kMostPanels = 12;

using PointOf = std::function<std::optional<FigurePoint>(const Comparison&, const Cell&)>;
using Comparisons = std::vector<const Comparison*>;

std::optional<double> number_in(const std::string& text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && *end == '\0' ? std::optional(value) : std::nullopt;
}

// Of a workload's factors the number with the most values, if it has enough for a line.
std::string line_factor(const Comparisons& comparisons, const std::set<std::string>& varying) {
  std::string best;
  std::size_t most = kLeastForLine - 1;
  for (const std::string& factor : varying) {
    std::set<double> values;
    bool is_number = true;
    for (const Comparison* comparison : comparisons) {
      const auto found = comparison->factors.find(factor);
      const auto value = found == comparison->factors.end() ? std::nullopt : number_in(found->second);
      is_number = is_number && value;
      if (value) values.insert(*value);
    }
    if (!is_number || values.size() <= most) continue;
    best = factor;
    most = values.size();
  }
  return best;
}

// "write size, bytes": what an axis of a factor is called.
std::string axis_name(const std::string& factor) {
  const auto without = [&](std::size_t tail) { return factor.substr(0, factor.size() - tail); };
  std::string text = factor.ends_with("_bytes")     ? without(6) + " size, bytes"
                     : factor == "bytes"            ? "bytes"
                     : factor.ends_with("_mbps")    ? without(5) + ", Mb/s"
                     : factor.ends_with("_percent") ? without(8) + ", %"
                     : factor.ends_with("_hz")      ? without(3) + ", Hz"
                                                    : factor;
  std::replace(text.begin(), text.end(), '_', ' ');
  return printable(text);
}

std::string value_name(const std::string& factor, double value) {
  return factor.ends_with("bytes") ? readable_bytes(static_cast<std::uint64_t>(value))
                                   : fmt::format("{:g}", value);
}

std::optional<FigureRow> row_of(const Comparison& comparison, const std::vector<std::string>& platforms,
                                const PointOf& point_of) {
  FigureRow row;
  row.points.resize(platforms.size());
  bool has_any = false;
  for (const Cell* cell : comparison.cells) {
    const auto place = std::find(platforms.begin(), platforms.end(), cell->platform());
    if (place == platforms.end() || !cell->cost()) continue;
    auto point = point_of(comparison, *cell);
    has_any = has_any || point;
    row.points[static_cast<std::size_t>(place - platforms.begin())] = std::move(point);
  }
  return has_any ? std::optional(std::move(row)) : std::nullopt;
}

// Lines over a factor, where there is one and the panels are few; else rows.
void add_panels(FigureGroup& group, const Comparisons& comparisons, const std::set<std::string>& varying,
                const std::vector<std::string>& platforms, const PointOf& point_of) {
  const std::string factor = line_factor(comparisons, varying);
  std::set<std::string> others = varying;
  others.erase(factor);
  std::vector<std::pair<std::string, FigurePanel>> panels;
  if (!factor.empty()) {
    for (const Comparison* comparison : comparisons) {
      auto row = row_of(*comparison, platforms, point_of);
      if (!row) continue;
      Factors key = comparison->factors;
      key.erase(factor);
      std::string title = phrase(key, others);
      row->x = *number_in(comparison->factors.at(factor));
      row->label = value_name(factor, row->x);
      auto panel =
          std::find_if(panels.begin(), panels.end(), [&](const auto& one) { return one.first == title; });
      if (panel == panels.end()) panel = panels.insert(panels.end(), {title, {title, {}}});
      panel->second.rows.push_back(std::move(*row));
      if (panels.size() > kMostPanels) break;
    }
    const bool has_line = std::any_of(panels.begin(), panels.end(), [](const auto& one) {
      return one.second.rows.size() >= kLeastForLine;
    });
    if (has_line && panels.size() <= kMostPanels) {
      group.over = axis_name(factor);
      for (auto& [title, panel] : panels) {
        std::stable_sort(panel.rows.begin(), panel.rows.end(),
                         [](const FigureRow& a, const FigureRow& b) { return a.x < b.x; });
        group.panels.push_back(std::move(panel));
      }
      return;
    }
  }
  FigurePanel all;
  std::size_t left_out = 0;
  for (const Comparison* comparison : comparisons) {
    auto row = row_of(*comparison, platforms, point_of);
    if (!row) continue;
    row->label = phrase(comparison->factors, varying);
    if (all.rows.size() == kMostFigureRows)
      ++left_out;
    else
      all.rows.push_back(std::move(*row));
  }
  if (left_out > 0)
    group.note = fmt::format("{} more combinations are in the tables", with_thousands(left_out));
  if (!all.rows.empty()) group.panels.push_back(std::move(all));
}

using QuantityOf = std::string (*)(Unit unit, const std::string& workload);

std::optional<Unit> first_unit_of(const Comparisons& comparisons) {
  for (const Comparison* comparison : comparisons)
    for (const Cell* cell : comparison->cells)
      if (cell->cost() && !units_of(cell->cost()->work).empty()) return units_of(cell->cost()->work).front();
  return std::nullopt;
}

std::optional<Figure> figure_of(Figure figure, const RunCosts& costs, const Comparisons& comparisons,
                                const PointOf& point_of, QuantityOf quantity) {
  std::vector<std::pair<std::string, Comparisons>> workloads;
  for (const Comparison* comparison : comparisons) {
    const std::string& name = comparison->factors.at("workload");
    auto place =
        std::find_if(workloads.begin(), workloads.end(), [&](const auto& one) { return one.first == name; });
    if (place == workloads.end()) place = workloads.insert(workloads.end(), {name, {}});
    place->second.push_back(comparison);
  }
  for (const auto& [workload, its] : workloads) {
    const auto unit = first_unit_of(its);
    if (!unit) continue;
    FigureGroup group{printable(workload), quantity(*unit, workload), "", {}, ""};
    add_panels(group, its, costs.varying.of(workload), figure.platforms, point_of);
    if (!group.panels.empty()) figure.groups.push_back(std::move(group));
  }
  return figure.groups.empty() ? std::nullopt : std::optional(std::move(figure));
}

std::string with_interval(std::string text, const std::optional<Interval>& interval,
                          std::string (*show)(double)) {
  return interval ? fmt::format("{} ({} to {})", text, show(interval->low), show(interval->high))
                  : std::move(text);
}

}  // namespace

std::optional<Figure> tax_figure(const RunCosts& costs, const Comparisons& comparisons) {
  Figure figure{"Tax of each platform: total cost of the same work relative to native", platforms_of(costs),
                1};
  std::erase(figure.platforms, "native");
  return figure_of(
      std::move(figure), costs, comparisons,
      [](const Comparison& comparison, const Cell& cell) -> std::optional<FigurePoint> {
        const auto units = units_of(cell.cost()->work);
        const auto value = units.empty() ? std::nullopt : tax(comparison, cell, units.front());
        if (!value) return std::nullopt;
        const auto interval = tax_interval(comparison, cell, units.front());
        return FigurePoint{*value, interval,
                           with_interval(marked_tax(comparison, cell, units.front()), interval,
                                         [](double one) { return fmt::format("{:.2f}", one); })};
      },
      [](Unit unit, const std::string& workload) {
        return fmt::format("cost of {}, native = 1", with_article(noun(unit, workload)));
      });
}

std::optional<Figure> rate_figure(const RunCosts& costs, const Comparisons& comparisons) {
  return figure_of(
      Figure{"Rate of each platform, by the machine's own clock", platforms_of(costs)}, costs, comparisons,
      [](const Comparison&, const Cell& cell) -> std::optional<FigurePoint> {
        const auto rate = rate_of(cell);
        if (!rate) return std::nullopt;
        const auto interval = rate->interval ? std::optional(rate->interval->range) : std::nullopt;
        return FigurePoint{rate->median, interval, with_interval(readable(rate->median), interval, readable)};
      },
      [](Unit unit, const std::string& workload) {
        return fmt::format("rate, {}", rate_noun(unit, workload));
      });
}

}  // namespace vtax
