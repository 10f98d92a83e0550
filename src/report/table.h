#pragma once

#include <ostream>

#include "core/result.h"
#include "record/run_reader.h"
#include "report/overview.h"

namespace vtax {

// The run for people, as wide as `out` is (report/text_table.h): the question, its answer, a line for each
// combination, and who pays. With `all` the cost by layer, packets, events, rates and repetitions of every
// cell, each claim with its test, and each failed trial. Counts are exact and given as they are; only where
// repetitions differ does it say by how much.
[[nodiscard]] Result<> write_table(RunReader& reader, std::ostream& out, TableDetail detail);

}  // namespace vtax
