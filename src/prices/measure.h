#pragma once

#include <functional>
#include <string>

#include "core/result.h"
#include "prices/price_list.h"

namespace vtax::prices {

// What this computer takes, as far as a program without rights can tell, in some seconds: by loops whose work
// is known, in CPU time of the thread, the middle of several. What cannot be told is in `not_known`, with the
// reason. `progress`: a line before each. Error (unavailable): no clock of CPU time, no memory.
[[nodiscard]] Result<PriceList> measure_prices(const std::function<void(const std::string&)>& progress);

// From the middle of several measurements of one thing under its best and its worst conditions: the geometric
// mean, and an error that reaches both.
[[nodiscard]] Price between(double best_ns, double worst_ns, std::string source);

}  // namespace vtax::prices
