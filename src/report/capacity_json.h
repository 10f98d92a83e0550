#pragma once

#include <string_view>

#include "core/json_writer.h"
#include "model/capacity.h"

namespace vtax {

// The object `key`: what the cost allows (docs/report-schema.md, "rates"); nothing where no work was counted.
// `unit` names its rates; "" for unit_of_rate().
void write_capacity(JsonWriter& json, std::string_view key, const WindowCost& cost, const MachineSpeed& speed,
                    std::string_view unit = "");

// The array "rates", of every cell; left out where the run has no speed. Where its calibration failed,
// "rates_error" says why.
void write_rates(JsonWriter& json, const Run& header, const RunCosts& costs);

}  // namespace vtax
