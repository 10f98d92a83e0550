#pragma once

#include <ostream>

#include "query/cell.h"
#include "record/trial.h"
#include "report/overview.h"

namespace vtax {

// The table's section "Published beside measured", 80 columns wide; nothing where the run carries no claims.
void print_claims(std::ostream& out, const Run& header, const RunCosts& costs, TableDetail detail);

}  // namespace vtax
