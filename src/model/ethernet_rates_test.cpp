#include "model/ethernet_rates.h"

#include <gtest/gtest.h>

namespace vtax {
namespace {

TEST(EthernetRates, AreThoseOfThePaper) {
  constexpr EthernetRates kRates = ideal_rates(1000);
  EXPECT_NEAR(kRates.ethernet, 984.40, 0.005);
  EXPECT_NEAR(kRates.ip, 975.30, 0.01);
  EXPECT_NEAR(kRates.transport, 941.49, 0.01);  // 941.482; the paper rounds on the way
}

// Antonioli's Fast Ethernet, and what larger frames would give.
TEST(EthernetRates, HoldForOtherLinks) {
  EXPECT_NEAR(ideal_rates(100).transport, 94.15, 0.005);
  EXPECT_NEAR(ideal_rates(1000, 9000).transport, 990.04, 0.005);
}

}  // namespace
}  // namespace vtax
