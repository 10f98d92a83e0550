#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "watch/reading.h"
#include "watch/show/column.h"

namespace vtax::watch {

// Which guests are shown, and in which order.
struct Arrangement {
  const Column* sort = column_named("sum");
  bool ascending = false;  // of numbers; words go from A to Z unless it is set
  std::string filter;      // a part of the name, whatever its case (of ASCII); empty: all
};

// Guests of equal figures stand by name; those of which the figure is not known come last.
[[nodiscard]] std::vector<const GuestUse*> arranged(const Reading& reading, const Arrangement& by);

}  // namespace vtax::watch
