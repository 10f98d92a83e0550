#include "core/units.h"

#include <gtest/gtest.h>

#include <limits>

namespace vtax {
namespace {

TEST(Sizes, AreInWholeMiBThatHoldThem) {
  EXPECT_EQ(whole_mib(0), 0U);
  EXPECT_EQ(whole_mib(1), 1U);
  EXPECT_EQ(whole_mib(kMiB), 1U);
  EXPECT_EQ(whole_mib(kMiB + 1), 2U);
  EXPECT_EQ(whole_mib(std::numeric_limits<std::uint64_t>::max()), std::uint64_t{1} << 44);
}

}  // namespace
}  // namespace vtax
