#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/statistics.h"
#include "query/cell.h"

namespace vtax {

// The comparison that says most: the one with the greatest tax, per KB when the run holds streams, else per
// transaction, of those whose interval is narrower than what they differ from native by. `cell` is the
// platform that pays it.
struct Headline {
  const Comparison* comparison = nullptr;
  const Cell* cell = nullptr;
  Unit unit = Unit::packet;
  double tax = 0;                         // the greatest of `cell`'s platform
  double least_tax = 0;                   // the least of it, in the same unit
  std::optional<Interval> interval = {};  // of `tax`; nothing where the repetitions are too few
  bool is_undecided = false;  // no cell's interval is narrower than what it differs from native by
  int left_out = 0;           // cells of the platform that carry less than `cell`
};

// Nothing when no platform stands beside native.
[[nodiscard]] std::optional<Headline> headline(const std::vector<Comparison>& comparisons);

// The study's answer in one or two sentences, with figures and the layers that pay.
[[nodiscard]] std::string answer(const RunCosts& costs, const std::vector<Comparison>& comparisons);

}  // namespace vtax
