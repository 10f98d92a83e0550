#include "core/lab_prices.h"

#include <gtest/gtest.h>

namespace vtax {
namespace {

TEST(LabPrices, AreReadAndWrittenInOneForm) {
  const auto prices = read_lab_prices("vm_exits:400 + program:0.5 + kernel:0.90004");
  ASSERT_TRUE(prices) << prices.error().text();
  EXPECT_EQ(prices->of("kernel"), 900'000U);
  EXPECT_EQ(prices->of("vm_exits"), 400'000'000U);
  EXPECT_EQ(prices->of("hypervisor"), 0U);
  EXPECT_EQ(text_of(*prices), "kernel:0.9+program:0.5+vm_exits:400");
  EXPECT_EQ(*read_lab_prices(text_of(*prices)), *prices);
}

TEST(LabPrices, OthersAreRefused) {
  for (const char* text :
       {"", "off", "kernel:1", "kernel:1+program", "kernel:1+program:0", "kernel:1+program:-1",
        "kernel:1+program:1x", "kernel:1+program:1+kernel:2", "kernel:1+program:1+magic:2",
        "kernel:1001+program:1", "kernel:1+program:1+vm_exits:1000001", "kernel:nan+program:1",
        "kernel:1+program:1+"})
    EXPECT_FALSE(read_lab_prices(text)) << text;
}

}  // namespace
}  // namespace vtax
