#pragma once

#include <ostream>

#include "core/result.h"
#include "record/run_reader.h"

namespace vtax {

// The ledger in long form: one row for each trial and entry, a column for each factor, quoted as RFC 4180
// says (lines end in CR LF). A failed trial is one row with its error and empty counts. Text that a
// spreadsheet would take for a formula gets a ' before it.
[[nodiscard]] Result<> write_ledger_csv(RunReader& reader, std::ostream& out);

}  // namespace vtax
