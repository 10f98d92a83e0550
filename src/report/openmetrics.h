#pragma once

#include <ostream>

#include "core/result.h"
#include "record/run_reader.h"

namespace vtax {

// The run's cells as gauges in OpenMetrics text 1.0, for a Prometheus that scrapes a file, or a gateway.
// Labels are the factors; one whose name is no label's, or that a metric's own label takes, is `factor_...`.
// No timestamps: the figures are of a window, not of a moment. A cell's median run counts, as everywhere.
[[nodiscard]] Result<> write_openmetrics(RunReader& reader, std::ostream& out);

}  // namespace vtax
