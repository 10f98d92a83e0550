#include "watch/show/delay.h"

#include <fmt/format.h>

#include <charconv>
#include <cmath>

#include "core/readable.h"

namespace vtax::watch {

Result<std::chrono::nanoseconds> parse_delay(std::string_view text) {
  // A shorter one measures its own cost; a longer one outlives counters and people.
  constexpr double least = 0.05, most = 86'400;
  double seconds = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
  if (error != std::errc() || end != text.data() + text.size() || !std::isfinite(seconds) ||
      seconds < least || seconds > most)
    return fail({fmt::format("cannot read every '{}' seconds", printable(text)),
                 "the delay is a number from 0.05 to 86400", "for example -d 2, or -d 0.5"});
  return std::chrono::nanoseconds(static_cast<std::int64_t>(std::llround(seconds * 1e9)));
}

}  // namespace vtax::watch
