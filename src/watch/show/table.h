#pragma once

#include <cstddef>
#include <ostream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "watch/reading.h"
#include "watch/show/arrange.h"

namespace vtax::watch {

// Lines of the table of guests, each at most `width` columns, for batch and screen alike.
[[nodiscard]] std::string heading_line(const std::vector<PlacedColumn>& placed);
[[nodiscard]] std::string guest_line(const std::vector<PlacedColumn>& placed, const GuestUse& guest,
                                     std::chrono::nanoseconds interval, bool unicode = true);
[[nodiscard]] std::vector<PlacedColumn> placed_for(const std::vector<const GuestUse*>& guests,
                                                   std::size_t width);

// What is no guest's, in the order in which it is shown: "driver (host)", "uncharged", ...
[[nodiscard]] std::vector<std::pair<std::string, std::uint64_t>> other_rows(const Reading& reading);

// "guests 10.0 + caused 3.4 + the rest 186.6 = 200.0 % of one CPU: 2 CPUs"; where they do not add up it says
// so.
[[nodiscard]] std::string sum_line(const Reading& reading);

// "vtax top 22:05:09, interval 1.00 s, 4 guests, driver host, charged by work"
[[nodiscard]] std::string title_line(const Reading& reading);

// A reading as a table for people. Sentences of Reading::missing that were not in `said` are printed, and
// added to it.
void write_table(const Reading& reading, const Arrangement& by, std::size_t width,
                 std::vector<std::string>& said, std::ostream& out);

}  // namespace vtax::watch
