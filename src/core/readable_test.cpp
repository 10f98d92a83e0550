#include "core/readable.h"

#include <gtest/gtest.h>

#include <limits>

namespace vtax {
namespace {

using namespace std::string_literals;

TEST(Readable, NumbersHaveAboutThreeFigures) {
  EXPECT_EQ(readable(0), "0");
  EXPECT_EQ(readable(0.523), "0.52");
  EXPECT_EQ(readable(41.31), "41.3");
  EXPECT_EQ(readable(512.4), "512");
  EXPECT_EQ(readable(15230), "15,230");
  EXPECT_EQ(readable(-15230), "-15,230");
  EXPECT_EQ(readable(std::numeric_limits<double>::infinity()), "-");
  EXPECT_EQ(with_thousands(0), "0");
  EXPECT_EQ(with_thousands(999), "999");
  EXPECT_EQ(with_thousands(std::numeric_limits<std::uint64_t>::max()), "18,446,744,073,709,551,615");
}

TEST(Readable, BytesStayExact) {
  EXPECT_EQ(readable_bytes(0), "0 B");
  EXPECT_EQ(readable_bytes(1448), "1448 B");
  EXPECT_EQ(readable_bytes(65536), "64 KiB");
  EXPECT_EQ(readable_bytes(8U << 20U), "8 MiB");
  EXPECT_EQ(readable_bytes(1025), "1025 B");
}

TEST(Readable, ForeignTextCannotCommandTheTerminal) {
  EXPECT_EQ(printable("plain <name> é"), "plain <name> é");
  EXPECT_EQ(printable("a\x1b[31m\n\0b"s), "a?[31m ?b");
  EXPECT_EQ(printable("what: why\n  next\n"), "what: why next ");
  EXPECT_EQ(printable("\xc2\x9b"
                      "31m"),
            "?31m");  // the one-character form of ESC [
  EXPECT_EQ(printable("\xff\xc3"), "??");
  EXPECT_EQ(printable("éééé", 2), "éé...");
  EXPECT_EQ(printable("a\u202e"
                      "b\u2066"
                      "c\u061c"
                      "d\u2028"
                      "e"),
            "a?b?c?d?e");
  EXPECT_EQ(printable("\u2027\u202f\u2065\u206a"), "\u2027\u202f\u2065\u206a");
  EXPECT_EQ(printable_lines("one\n two\x1b[2J\n\x7f\u202e"), "one\n two?[2J\n??");
}

TEST(Readable, TextIsWellFormedUtf8WithoutNul) {
  EXPECT_TRUE(is_text(""));
  EXPECT_TRUE(is_text("réseau 漢 🜁"));
  EXPECT_FALSE(is_text("a\0b"s));
  EXPECT_FALSE(is_text("\xc0\xaf"));          // overlong
  EXPECT_FALSE(is_text("\xed\xa0\x80"));      // surrogate
  EXPECT_FALSE(is_text("\xf4\x90\x80\x80"));  // beyond Unicode
  EXPECT_FALSE(is_text("\xe2\x82"));          // cut short
}

}  // namespace
}  // namespace vtax
