#pragma once

#include <cstdint>
#include <string>
#include <string_view>

// Numbers and foreign text as people read them in a terminal.
namespace vtax {

// 1234567 -> "1,234,567".
[[nodiscard]] std::string with_thousands(std::uint64_t value);

// For estimates: "0.52", "41.3", "512", "15,230": about three figures, never an exponent below 1e15.
[[nodiscard]] std::string readable(double value);

// 65536 -> "64 KiB", 1448 -> "1448 B". Exact: a size that is no whole multiple falls to the smaller unit.
[[nodiscard]] std::string readable_bytes(std::uint64_t bytes);

// Text from outside (names in files), safe on a terminal and one line long: a new line with what indents the
// next becomes a space, each other harmful character (core/harmless.h) '?'; what is longer than `longest`
// characters ends in "...".
[[nodiscard]] std::string printable(std::string_view text, std::size_t longest = 60);

// The same for text of several lines of any length: new lines stay. What leaves for a terminal goes through
// this at the place where it leaves, whatever it was made of.
[[nodiscard]] std::string printable_lines(std::string_view text);

// Well-formed UTF-8 without NUL: what the project stores and writes as text.
[[nodiscard]] bool is_text(std::string_view text);

// How many terminal columns: one for each character of UTF-8 (no wide characters in vtax's own text).
[[nodiscard]] std::size_t columns(std::string_view text);

}  // namespace vtax
