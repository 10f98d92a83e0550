#pragma once

#include <ostream>
#include <string>
#include <vector>

#include "core/result.h"
#include "record/run_reader.h"

namespace vtax {

// "tax", "layers", "rates", "flame"
[[nodiscard]] std::vector<std::string> run_figures();
[[nodiscard]] std::string names_of_run_figures();  // in a list

// A figure of the run as SVG, the page's own: of the combinations that have `cell` in their name
// (query/phrase.h), of all where it is empty; layers and flame graphs of one combination, of several the
// typical one. Errors: no combination of that name, and a run that has nothing to draw.
[[nodiscard]] Result<> write_run_figure(RunReader& reader, const std::string& chart, const std::string& cell,
                                        std::ostream& out);

}  // namespace vtax
