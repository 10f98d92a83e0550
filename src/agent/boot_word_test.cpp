#include "agent/boot_word.h"

#include <gtest/gtest.h>

namespace vtax::agent {
namespace {

TEST(BootWord, IsTheNumberBehindTheWord) {
  EXPECT_EQ(boot_number("console=hvc0 vtax.guests=4 quiet", "vtax.guests=", 7).value_or(0), 4);
  EXPECT_EQ(boot_number("vtax.guests=7", "vtax.guests=", 7).value_or(0), 7);
  EXPECT_EQ(boot_number("vtax.guest=3 vtax.guests=2", "vtax.guests=", 7).value_or(0), 2);
}

TEST(BootWord, IsOneWhereTheWordIsMissing) {
  for (const char* line : {"", "quiet", "xvtax.guests=3", "vtax.guests"})
    EXPECT_EQ(boot_number(line, "vtax.guests=", 7).value_or(0), 1) << line;
}

TEST(BootWord, RefusesWhatIsNoNumberInRange) {
  for (const char* line : {"vtax.guests=", "vtax.guests=0", "vtax.guests=8", "vtax.guests=-1",
                           "vtax.guests=2x", "vtax.guests=99999999999"})
    EXPECT_FALSE(boot_number(line, "vtax.guests=", 7)) << line;
}

}  // namespace
}  // namespace vtax::agent
