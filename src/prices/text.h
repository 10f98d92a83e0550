#pragma once

#include <ostream>
#include <string>
#include <vector>

#include "prices/estimate.h"

namespace vtax::prices {

// A line a cell: estimated nanoseconds per unit of work by layer, with the prices' error, and what had no
// price. It says that it is an estimate.
void write_estimate(const Run& header, const PriceList& prices, const std::vector<EstimatedCell>& cells,
                    std::ostream& out);

// Each price with its error and source, and what is not known.
void write_prices(const PriceList& prices, std::ostream& out);

}  // namespace vtax::prices
