#pragma once

#include "core/json_writer.h"
#include "query/cell.h"
#include "record/trial.h"

namespace vtax {

// The key `claims` and its array (docs/report-schema.md), and `claims_error` where the run's claims cannot be
// read. For the JSON report and the page alike.
void write_claims(JsonWriter& json, const Run& header, const RunCosts& costs);

}  // namespace vtax
