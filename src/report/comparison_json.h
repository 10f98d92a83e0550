#pragma once

#include <ostream>

#include "query/comparison.h"

namespace vtax {

// docs/report-schema.md, "vtax compare --format json".
void write_comparison_json(const RunComparison& comparison, std::ostream& out);

}  // namespace vtax
