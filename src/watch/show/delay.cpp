#include "watch/show/delay.h"

#include <fmt/format.h>

#include <cmath>

#include "core/duration.h"
#include "core/readable.h"

namespace vtax::watch {

Result<std::chrono::nanoseconds> parse_delay(std::string_view text) {
  // A shorter one measures its own cost; a longer one outlives counters and people.
  constexpr double kLeast = 0.05, kMost = 86'400;
  const auto delay = parse_duration(text);
  if (!delay || delay->count() < kLeast || delay->count() > kMost)
    return fail({fmt::format("cannot read every '{}' seconds", printable(text)),
                 "the delay is from 0.05 to 86400 seconds", "for example -d 2, -d 0.5 or -d 5min"});
  return std::chrono::nanoseconds(static_cast<std::int64_t>(std::llround(delay->count() * 1e9)));
}

}  // namespace vtax::watch
