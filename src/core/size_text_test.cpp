#include "core/size_text.h"

#include <gtest/gtest.h>

namespace vtax {
namespace {

TEST(SizeText, IsReadAsPeopleWriteIt) {
  EXPECT_EQ(parse_size("0").bytes, 0U);
  EXPECT_EQ(parse_size("1448").bytes, 1448U);
  EXPECT_EQ(parse_size("1448 B").bytes, 1448U);
  EXPECT_EQ(parse_size("64K").bytes, 65536U);
  EXPECT_EQ(parse_size(" 64 KiB ").bytes, 65536U);
  EXPECT_EQ(parse_size("8MiB").bytes, 8U << 20U);
  EXPECT_EQ(parse_size("3G").bytes, 3ULL << 30U);
}

TEST(SizeText, SaysWhatIsWrong) {
  using Fault = ParsedSize::Fault;
  for (const char* none : {"", " ", "K", "-1", "+1", ".5"})
    EXPECT_EQ(parse_size(none).fault, Fault::no_number) << none;
  for (const char* unit : {"1KB", "1MB", "1k", "1 KiBi", "1.5K", "1 K 2"})
    EXPECT_EQ(parse_size(unit).fault, Fault::unknown_unit) << unit;
  for (const char* much : {"18446744073709551616", "17179869184G", "99999999999999999999K"})
    EXPECT_EQ(parse_size(much).fault, Fault::too_much) << much;
  EXPECT_EQ(parse_size("17179869183G").fault, Fault::none);
}

}  // namespace
}  // namespace vtax
