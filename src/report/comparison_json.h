#pragma once

#include <ostream>

#include "core/json_writer.h"
#include "query/comparison.h"

namespace vtax {

// docs/report-schema.md, "vtax compare --format json".
void write_comparison_json(const RunComparison& comparison, std::ostream& out);

// The same object as a part of another.
void write_comparison(JsonWriter& json, const RunComparison& comparison);

}  // namespace vtax
