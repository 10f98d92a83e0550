#include "account/charging.h"

#include <gtest/gtest.h>

#include <numeric>

namespace vtax {
namespace {

using std::chrono::seconds;

TEST(ChargingRules, BusyTimeIsBetweenTwoReadings) {
  EXPECT_EQ(*busy_time(seconds(100), seconds(130)), seconds(30));
  EXPECT_EQ(*busy_time(seconds(7), seconds(7)), seconds(0));
  EXPECT_FALSE(busy_time(seconds(130), seconds(100)));
}

// The dissertation's example of 4.8: 30 s of its own and 18 s of the driver domain in 60 s are 0.8 of a CPU.
TEST(ChargingRules, AGuestPaysForItsPackets) {
  // The driver domain was busy for 30 s; 60 % of its packets were this guest's.
  const auto charged = charge_by_packets(30, {600, 400});
  ASSERT_TRUE(charged);
  EXPECT_DOUBLE_EQ(charged->per_packet, 0.03);
  EXPECT_DOUBLE_EQ(charged->to_guests[0], 18);
  EXPECT_DOUBLE_EQ(charged->to_guests[1], 12);
  EXPECT_DOUBLE_EQ(utilisation(30, charged->to_guests[0], 60), 0.8);
}

TEST(ChargingRules, TheWholeDriverDomainIsCharged) {
  const auto charged = charge_by_packets(1e9, {1, 2, 3, 0});
  ASSERT_TRUE(charged);
  EXPECT_NEAR(std::accumulate(charged->to_guests.begin(), charged->to_guests.end(), 0.0), 1e9, 1e-3);
  EXPECT_EQ(charged->to_guests[3], 0);
}

TEST(ChargingRules, NobodyPaysForNoPackets) {
  EXPECT_FALSE(charge_by_packets(30, {0, 0}));
  EXPECT_FALSE(charge_by_packets(30, {}));
}

// The example of 4.9: 1000 and 500 samples, one every 1e8 cycles at 2 GHz, in 100 s.
TEST(ChargingRules, SamplesAreBusyTime) {
  const double first = sampled_busy_seconds(1000, 1e8, 2e9), second = sampled_busy_seconds(500, 1e8, 2e9);
  EXPECT_DOUBLE_EQ(first, 50);
  EXPECT_DOUBLE_EQ(second, 25);
  EXPECT_DOUBLE_EQ(utilisation(first, second, 100), 0.75);
}

}  // namespace
}  // namespace vtax
