#include "machine/parts/cr0_reads.h"

#include <gtest/gtest.h>

namespace vtax::lab {
namespace {

std::vector<std::uint8_t> image(int times) {
  constexpr std::uint8_t kConstant[] = {0x48, 0xc7, 0x03, 0xfb, 0xfe, 0xfb, 0xfe, 0x90};
  std::vector<std::uint8_t> out(64, 0x90);
  for (int i = 0; i < times; ++i)
    for (const std::uint8_t byte : kConstant) out.push_back(byte);
  return out;
}

TEST(Cr0Reads, OneBitOfTheConstantIsChanged) {
  auto xen = image(1);
  auto expected = xen;
  expected[64 + 3] = 0xfa;
  ASSERT_TRUE(leave_cr0_reads_to_guests(xen, "xen"));
  EXPECT_EQ(xen, expected);
}

TEST(Cr0Reads, AnImageInWhichThePlaceIsNotClearIsRefused) {
  for (const int times : {0, 2}) {
    auto xen = image(times);
    const auto before = xen;
    const auto done = leave_cr0_reads_to_guests(xen, "xen-mine");
    ASSERT_FALSE(done);
    EXPECT_NE(done.error().text().find("xen-mine"), std::string::npos);
    EXPECT_EQ(xen, before);
  }
}

}  // namespace
}  // namespace vtax::lab
