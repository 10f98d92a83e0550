#pragma once

#include <cstddef>
#include <deque>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "watch/reading.h"

namespace vtax::watch {

// What each guest cost in the last readings, in percent of one CPU: own and caused time. A guest that is gone
// is forgotten with it.
class History {
 public:
  static constexpr std::size_t kLongest = 300;  // readings: five minutes at one a second

  void take(const Reading& reading);
  // From the oldest to the newest; empty for who is not known.
  [[nodiscard]] std::vector<double> of(std::string_view guest) const;

 private:
  std::map<std::string, std::deque<float>, std::less<>> of_guests_;
};

// Lines of a graph `width` columns wide, its newest value at the right; the first line is the top, at `most`.
// With blocks of eighths, or without `unicode` of whole lines, '#'.
[[nodiscard]] std::vector<std::string> graph(const std::vector<double>& values, double most,
                                             std::size_t width, std::size_t height, bool unicode);

}  // namespace vtax::watch
