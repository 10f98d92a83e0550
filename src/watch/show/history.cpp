#include "watch/show/history.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "watch/show/figures.h"

namespace vtax::watch {

void History::take(const Reading& reading) {
  std::map<std::string, std::deque<float>, std::less<>> now;
  for (const GuestUse& guest : reading.guests) {
    std::deque<float>& values = now[guest.name];
    if (const auto known = of_guests_.find(guest.name); known != of_guests_.end())
      values = std::move(known->second);
    values.push_back(static_cast<float>(sum_percent(guest, reading.interval)));
    if (values.size() > kLongest) values.pop_front();
  }
  of_guests_ = std::move(now);
}

std::vector<double> History::of(std::string_view guest) const {
  const auto known = of_guests_.find(guest);
  if (known == of_guests_.end()) return {};
  return {known->second.begin(), known->second.end()};
}

std::vector<std::string> graph(const std::vector<double>& values, double most, std::size_t width,
                               std::size_t height, bool unicode) {
  static constexpr std::array<const char*, 9> kEighths{" ",
                                                       "\xe2\x96\x81",
                                                       "\xe2\x96\x82",
                                                       "\xe2\x96\x83",
                                                       "\xe2\x96\x84",
                                                       "\xe2\x96\x85",
                                                       "\xe2\x96\x86",
                                                       "\xe2\x96\x87",
                                                       "\xe2\x96\x88"};
  const std::size_t shown = std::min(values.size(), width);
  std::vector<std::string> lines(height, std::string(width - shown, ' '));
  for (std::size_t i = values.size() - shown; i < values.size(); ++i) {
    const double share = most > 0 ? std::clamp(values[i] / most, 0.0, 1.0) : 0;
    auto eighths = static_cast<std::size_t>(std::lround(share * 8 * static_cast<double>(height)));
    // What is not nothing is seen.
    if (eighths == 0 && values[i] > 0) eighths = 1;
    for (std::size_t line = 0; line < height; ++line) {
      const std::size_t below = 8 * (height - 1 - line);
      const std::size_t here = std::clamp<std::size_t>(eighths > below ? eighths - below : 0, 0, 8);
      lines[line] += unicode ? kEighths[here] : (here >= 4 || (line + 1 == height && here > 0)) ? "#" : " ";
    }
  }
  return lines;
}

}  // namespace vtax::watch
