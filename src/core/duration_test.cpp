#include "core/duration.h"

#include <gtest/gtest.h>

namespace vtax {
namespace {

TEST(Duration, IsReadAsPeopleWriteIt) {
  for (const auto& [text, seconds] :
       {std::pair("10", 10.0), std::pair("1500", 1500.0), std::pair("2.5s", 2.5), std::pair("250ms", 0.25),
        std::pair("20us", 20e-6), std::pair("5m", 300.0), std::pair("5min", 300.0), std::pair("5 min", 300.0),
        std::pair("1h", 3600.0), std::pair("0", 0.0)}) {
    const auto duration = parse_duration(text);
    ASSERT_TRUE(duration) << text;
    EXPECT_DOUBLE_EQ(duration->count(), seconds) << text;
  }
  for (const char* wrong : {"", "s", "-1", "1 d", "nan", "inf", "1s ", "5minutes", "1e999", "0x10"})
    EXPECT_FALSE(parse_duration(wrong)) << wrong;
}

}  // namespace
}  // namespace vtax
