#include "core/harmless.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <random>
#include <vector>

#include "core/readable.h"

namespace vtax {
namespace {

using namespace std::string_literals;

// Random bytes, of which many are the beginnings of what harms.
TEST(Harmless, NoBytesGetThrough) {
  std::mt19937_64 random(7);
  const std::vector<std::string> likely{"\x1b[",    "\xc2\x9b", "\x7f", "\u202e", "\u2066", "\u061c",
                                        "\xe2\x80", "\r",       "\n",   "plain",  "\0"s};
  const auto number = [](std::optional<std::uint32_t> character) {
    return fmt::format("<{}>", character ? fmt::format("{:x}", *character) : "broken");
  };
  EXPECT_EQ(without_harm("a\x1b\u202e\xff\xe2\x80z", number), "a<1b><202e><broken><broken><broken>z");
  for (int i = 0; i < 20'000; ++i) {
    std::string text;
    for (std::uint64_t n = random() % 12; n > 0; --n)
      text +=
          random() % 2 == 0 ? likely[random() % likely.size()] : std::string(1, static_cast<char>(random()));
    const std::string shown = printable_text(text);
    EXPECT_TRUE(is_text(shown));
    for (const char c : shown) EXPECT_TRUE(static_cast<unsigned char>(c) >= 0x20 || c == '\n' || c == '\t');
    EXPECT_EQ(printable_text(shown), shown);  // nothing is left to replace
    EXPECT_EQ(printable_lines(shown), printable_lines(text));
    if (is_text(text)) {
      EXPECT_LE(shown.size(), text.size());
    }
  }
}

}  // namespace
}  // namespace vtax
