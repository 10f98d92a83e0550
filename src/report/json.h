#pragma once

#include <ostream>

#include "core/result.h"
#include "record/run_reader.h"

namespace vtax {

// The run as JSON, schema 1: docs/report-schema.md. One trial is in memory at a time.
[[nodiscard]] Result<> write_json(RunReader& reader, std::ostream& out);

// The same as newline-delimited JSON, for programs that read a line at a time: the first object holds the
// run's fields, each of the next a trial's, the last what the run comes to; their key `record` is "run",
// "trial" and "end". Text without an "end" was cut off.
[[nodiscard]] Result<> write_ndjson(RunReader& reader, std::ostream& out);

}  // namespace vtax
