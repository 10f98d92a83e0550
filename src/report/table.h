#pragma once

#include <ostream>

#include "core/result.h"
#include "record/run_reader.h"

namespace vtax {

// The run for people, 80 columns wide: the question, its answer, the tax of each platform, then for each
// combination of factors the cost by layer, and what failed. Counts are exact and given as they are; only
// where repetitions differ does it say by how much.
[[nodiscard]] Result<> write_table(RunReader& reader, std::ostream& out);

}  // namespace vtax
