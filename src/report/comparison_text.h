#pragma once

#include <ostream>
#include <vector>

#include "query/comparison.h"

namespace vtax {

// For people, 80 columns: of each cell the total per unit of work with its interval, the layers and the
// functions that changed. `~` where nothing changed.
void write_comparison_details(const std::vector<CellChange>& cells, std::ostream& out);

}  // namespace vtax
