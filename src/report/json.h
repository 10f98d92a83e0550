#pragma once

#include <ostream>

#include "core/result.h"
#include "record/run_reader.h"

namespace vtax {

// The run as JSON, schema 1: docs/report-schema.md. One trial is in memory at a time.
[[nodiscard]] Result<> write_json(RunReader& reader, std::ostream& out);

}  // namespace vtax
