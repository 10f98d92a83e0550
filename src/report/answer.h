#pragma once

#include <optional>
#include <string>
#include <vector>

#include "report/cell.h"

namespace vtax {

// The comparison that says most: the one with the greatest tax, per packet when the run holds streams, else
// per transaction. `cell` is the platform that pays it.
struct Headline {
  const Comparison* comparison = nullptr;
  const Cell* cell = nullptr;
  Unit unit = Unit::packet;
  double tax = 0;        // the greatest of `cell`'s platform
  double least_tax = 0;  // the least of it, in the same unit
};

// Nothing when no platform stands beside native.
[[nodiscard]] std::optional<Headline> headline(const std::vector<Comparison>& comparisons);

// The study's answer in one or two sentences, with figures and the layers that pay.
[[nodiscard]] std::string answer(const RunCosts& costs, const std::vector<Comparison>& comparisons);

}  // namespace vtax
