#pragma once

#include <string>

#include "query/cell.h"
#include "report/figure.h"
#include "report/svg_picture.h"

namespace vtax {

// Pixels: of a page or a paper's column, and of a phone.
inline constexpr double kFigureWidth = 760, kNarrowFigureWidth = 350;

[[nodiscard]] std::string figure_svg(const Figure& figure, double width, SvgPicture::Use use);

// Cost by layer of a comparison's cells, a bar each, with the interval of the total. Nothing where none has a
// cost per `unit`.
[[nodiscard]] std::optional<std::string> layers_svg(const RunCosts& costs, const Comparison& comparison,
                                                    Unit unit, double width, SvgPicture::Use use);

}  // namespace vtax
