#include "workload/traffic/datagram.h"

#include <gtest/gtest.h>

namespace vtax {
namespace {

TEST(ReceptionMeter, WhatHasNotComeYetIsLostSoFar) {
  ReceptionMeter meter;
  for (const std::uint64_t number : {0U, 1U, 4U, 3U}) meter.take({number, 0}, 0);
  EXPECT_EQ(meter.so_far().received, 4U);
  EXPECT_EQ(meter.so_far().lost, 1U);
  EXPECT_EQ(meter.so_far().reordered, 1U);
  EXPECT_EQ(meter.highest(), 5U);
  meter.take({2, 0}, 0);
  EXPECT_EQ(meter.so_far().lost, 0U);
}

TEST(ReceptionMeter, WhatIsLostBeforeTheFirstToComeCounts) {
  ReceptionMeter meter;
  meter.take({3, 0}, 0);
  EXPECT_EQ(meter.so_far().lost, 3U);
  meter.restart();
  meter.take({2, 0}, 0);  // of the warm-up
  meter.take({6, 0}, 0);
  EXPECT_EQ(meter.so_far().received, 1U);
  EXPECT_EQ(meter.so_far().lost, 2U);
}

TEST(ReceptionMeter, TheWarmUpIsForgottenEvenIfNothingComesAfterIt) {
  ReceptionMeter meter;
  meter.take({0, 0}, 0);
  meter.take({5, 100}, 900);
  EXPECT_EQ(meter.so_far().lost, 4U);
  meter.restart();
  EXPECT_EQ(meter.so_far().received, 0U);
  EXPECT_EQ(meter.so_far().lost, 0U);
  EXPECT_EQ(meter.so_far().jitter_ns, 0);
  meter.finish(10);
  EXPECT_EQ(meter.reception().lost, 4U);
  EXPECT_EQ(meter.reception().received, 0U);
}

}  // namespace
}  // namespace vtax
