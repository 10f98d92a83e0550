#pragma once

#include <optional>
#include <ostream>

#include "core/result.h"
#include "model/term_table.h"
#include "record/run_reader.h"

namespace vtax {

// The run as one self-contained page (docs/design/report.md): no network, light and dark, printable. All
// names are foreign text and reach the page escaped, or as JSON data that only textContent and SVG text show.
// A message's cost by its size is on it where `terms` are given, or where the run's study asks for the
// built-in ones.
[[nodiscard]] Result<> write_html(RunReader& reader, std::ostream& out,
                                  const std::optional<TermTable>& terms = std::nullopt);

}  // namespace vtax
