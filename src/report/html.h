#pragma once

#include <ostream>

#include "core/result.h"
#include "record/run_reader.h"

namespace vtax {

// The run as one self-contained page (docs/design/report.md): no network, light and dark, printable. All
// names are foreign text and reach the page escaped, or as JSON data that only textContent and SVG text show.
[[nodiscard]] Result<> write_html(RunReader& reader, std::ostream& out);

}  // namespace vtax
