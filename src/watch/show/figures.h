#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "watch/reading.h"

// Figures of a reading as people read them, each within a few columns.
namespace vtax::watch {

// Nanoseconds of CPU time as percent of one CPU over the interval.
[[nodiscard]] double percent(std::uint64_t ns, std::chrono::nanoseconds interval);
[[nodiscard]] double per_second(std::uint64_t count, std::chrono::nanoseconds interval);

// U of equation 4.8, as percent of one CPU.
[[nodiscard]] double sum_percent(const GuestUse& guest, std::chrono::nanoseconds interval);

// "0.3", "99.9", "1234": at most five columns below 100,000.
[[nodiscard]] std::string long_percent(double value);
// "0.3", "12", "1600": four columns below 10,000.
[[nodiscard]] std::string short_percent(double value);
// "0", "0.2", "999", "1.2k", "12M": four columns below 1e15.
[[nodiscard]] std::string short_count(double value);
// Likewise, by powers of 1024: "512", "1.5K", "12G".
[[nodiscard]] std::string short_bytes(double value);

[[nodiscard]] std::string_view kind_name(GuestKind kind);     // "xen", "container"
[[nodiscard]] std::string_view charge_name(ChargeBy charge);  // "work", "packets"
[[nodiscard]] std::optional<GuestKind> kind_named(std::string_view text);
[[nodiscard]] std::optional<ChargeBy> charge_named(std::string_view text);

// Exact: "12.345678901".
[[nodiscard]] std::string seconds_text(std::uint64_t ns);

// ISO 8601 in UTC, to the nanosecond: "2026-11-28T22:05:09.120000000Z".
[[nodiscard]] std::string utc_text(std::chrono::system_clock::time_point at);
// "22:05:09" of this computer's time zone.
[[nodiscard]] std::string clock_text(std::chrono::system_clock::time_point at);

// Foreign text in at most `width` columns of a terminal, every character one column wide: whatever else there
// is, control characters, wide, combined and unknown ones among it, is '?'; what is cut off ends in '+'.
// Without `unicode`, ASCII alone.
[[nodiscard]] std::string narrow(std::string_view text, std::size_t width, bool unicode = true);

}  // namespace vtax::watch
