#pragma once

#include "core/json_fields.h"
#include "core/result.h"
#include "workload/measure/side_report.h"

namespace vtax {

// A report that another process wrote, perhaps in a guest: checked, with bounds on everything.
[[nodiscard]] Result<SideReport> read_side_report(const JsonFields& fields);

}  // namespace vtax
