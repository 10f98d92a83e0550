#pragma once

#include "record/trial.h"
#include "report/cell.h"
#include "report/json_writer.h"

namespace vtax {

// The key `claims` and its array (docs/report-schema.md), and `claims_error` where the run's claims cannot be
// read. For the JSON report and the page alike.
void write_claims(JsonWriter& json, const Run& header, const RunCosts& costs);

}  // namespace vtax
