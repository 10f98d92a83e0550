#pragma once

#include <string>

#include "workload/measure/outcome.h"

namespace vtax {

// A disk outcome with the names, units and nesting of `fio --output-format=json`, as far as vtax measures the
// same: jobs[] (one for each repeat) with read and write, their clat_ns percentiles, usr_cpu and sys_cpu in
// percent of the span. For tools that read fio's figures.
[[nodiscard]] std::string fio_json(const Outcome& outcome);

}  // namespace vtax
