#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "watch/reading.h"

namespace vtax::watch {

// One column of the table of guests. `columns()` has them in the order in which they stand.
struct Column {
  std::string_view name;     // as --sort takes it
  std::string_view heading;  // fits in `width`
  std::size_t width = 0;     // of what stands in it, without the space before
  int rank = 0;              // 0: always there; the others join as the terminal is wider, the lowest first
  std::string_view meaning;  // for help, half a line
  bool is_word = false;      // flush left, sorted by the alphabet
  // What to sort by, and to format; nothing where it is not known. A word's is nothing.
  std::optional<double> (*value)(const GuestUse&, std::chrono::nanoseconds interval) = nullptr;
  std::string (*number)(double) = nullptr;
  std::string (*word)(const GuestUse&) = nullptr;  // not yet narrow
};

[[nodiscard]] const std::vector<Column>& columns();
[[nodiscard]] const Column* column_named(std::string_view name);

// "-" for what is not known.
[[nodiscard]] std::string text_of(const Column& column, const GuestUse& guest,
                                  std::chrono::nanoseconds interval);

struct PlacedColumn {
  const Column* column = nullptr;
  std::size_t width = 0;
};

// As many columns as a terminal of so many columns holds, at least the guest's name. The name has what is
// left, up to `longest_name`.
[[nodiscard]] std::vector<PlacedColumn> columns_within(std::size_t width, std::size_t longest_name);

}  // namespace vtax::watch
