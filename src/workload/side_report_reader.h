#pragma once

#include "core/result.h"
#include "core/json_fields.h"
#include "workload/measure/side_report.h"

namespace vtax {

// A report that another process wrote, perhaps in a guest: checked, with bounds on everything.
[[nodiscard]] Result<SideReport> read_side_report(const JsonFields& fields);

}  // namespace vtax
