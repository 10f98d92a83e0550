#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/statistics.h"
#include "query/cell.h"

// A figure of all combinations of a run: a value of each platform, with its interval. Where a factor is a
// number of several values it is a line over that factor, in a panel for each combination of the others; else
// a row for each combination. Drawn by figure_svg.h.
namespace vtax {

struct FigurePoint {
  double value = 0;
  std::optional<Interval> interval = {};
  std::string text;  // "~1.02 (1.00 to 1.05)"
};

struct FigureRow {
  std::string label;
  double x = 0;                                    // of a panel with lines
  std::vector<std::optional<FigurePoint>> points;  // by the figure's platforms
};

struct FigurePanel {
  std::string title;  // "" of rows that stand one below the other
  std::vector<FigureRow> rows;
};

// Of one workload.
struct FigureGroup {
  std::string title;     // "tcp-stream"
  std::string quantity;  // what the values are, with their unit: "times native's cost of a KB"
  std::string over;      // the factor that x is, with its unit; "" of rows
  std::vector<FigurePanel> panels;
  std::string note = {};  // what is not in it
};

struct Figure {
  std::string label;  // in words what is shown
  std::vector<std::string> platforms;
  std::optional<double> reference = {};  // a value that a line marks: of taxes 1
  bool is_around_reference = false;  // the axis is as long as what differs from it, and does not begin at 0
  std::vector<FigureGroup> groups = {};
};

inline constexpr std::size_t kMostFigureRows = 100;

// The tax of each platform. Nothing where there is none.
[[nodiscard]] std::optional<Figure> tax_figure(const RunCosts& costs,
                                               const std::vector<const Comparison*>& comparisons);

// The rate that was measured by the machine's clock, native's too. Nothing where there is none.
[[nodiscard]] std::optional<Figure> rate_figure(const RunCosts& costs,
                                                const std::vector<const Comparison*>& comparisons);

}  // namespace vtax
