#include "machine/parts/cr0_reads.h"

#include <gtest/gtest.h>

namespace vtax::lab {
namespace {

using Code = std::vector<std::uint8_t>;

constexpr std::size_t kCodeAt = 64;

Code image(int times, const Code& store = {0x48, 0xc7, 0x03}) {
  constexpr std::uint8_t kConstant[] = {0xfb, 0xfe, 0xfb, 0xfe, 0x90};
  Code out(kCodeAt, 0x90);
  for (int i = 0; i < times; ++i) {
    out.insert(out.end(), store.begin(), store.end());
    out.insert(out.end(), std::begin(kConstant), std::end(kConstant));
  }
  return out;
}

// As GCC has it in a release of Xen, in a debug build (-O1), and with other registers.
TEST(Cr0Reads, OneBitOfTheConstantIsChanged) {
  for (const Code& store : {Code{0x48, 0xc7, 0x03}, Code{0x41, 0xc7, 0x04, 0x24}, Code{0xc7, 0x07},
                            Code{0xc7, 0x45, 0x00}, Code{0x49, 0xc7, 0x45, 0x00}}) {
    auto xen = image(1, store);
    auto expected = xen;
    expected[kCodeAt + store.size()] = 0xfa;
    ASSERT_TRUE(leave_cr0_reads_to_guests(xen, "xen")) << store.size();
    EXPECT_EQ(xen, expected);
  }
}

// A comparison, data, and a store whose address is not a register's.
TEST(Cr0Reads, TheConstantElsewhereIsNoStore) {
  for (const Code& other : {Code{0x48, 0x3d}, Code{}, Code{0xc7, 0x05}, Code{0xc7, 0x04, 0x25}}) {
    auto xen = image(1, other);
    EXPECT_FALSE(leave_cr0_reads_to_guests(xen, "xen"));
    const Code store = image(1);
    xen.insert(xen.end(), store.begin(), store.end());
    EXPECT_TRUE(leave_cr0_reads_to_guests(xen, "xen"));
  }
  Code short_one = {0xfb, 0xfe, 0xfb, 0xfe};
  EXPECT_FALSE(leave_cr0_reads_to_guests(short_one, "xen"));
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
