#pragma once

#include <ostream>

#include "core/result.h"
#include "record/run_reader.h"

namespace vtax {

// A row for each cell and layer, for statistics and plots (docs/report-schema.md): a column for each factor,
// then figures per unit of the work's first unit, whose column names say what they are counted in. What is
// unknown is empty. A cell of which nothing ended is one row without a layer.
[[nodiscard]] Result<> write_cell_csv(RunReader& reader, std::ostream& out);

}  // namespace vtax
