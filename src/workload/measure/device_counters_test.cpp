#include "workload/measure/device_counters.h"

#include <gtest/gtest.h>

namespace vtax {
namespace {

// Linux 6.1, /proc/net/dev, 2026-11-22.
constexpr char kText[] =
    "Inter-|   Receive                                                |  Transmit\n"
    " face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls "
    "carrier compressed\n"
    "    lo:     100       2    0    0    0     0          0         0      100       2    0    0    0     0 "
    "      0          0\n"
    "  eth0: 8794398    5797    0    0    0     0          0         0     2871      41    0    0    0     0 "
    "      0          0\n"
    "vif1.0:12345678901234 7 0 3 0 0 0 0 9 8 0 4 0 0 0 0\n"
    "broken: 1 2 three\n";

TEST(DeviceCounters, ReadsTheColumns) {
  const auto eth0 = find_counters(kText, "eth0");
  ASSERT_TRUE(eth0);
  EXPECT_EQ(eth0->received_bytes, Bytes(8794398));
  EXPECT_EQ(eth0->received, Packets(5797));
  EXPECT_EQ(eth0->sent_bytes, Bytes(2871));
  EXPECT_EQ(eth0->sent, Packets(41));
}

TEST(DeviceCounters, ALongNumberMayTouchTheName) {
  EXPECT_EQ(find_counters(kText, "vif1.0")->received_bytes, Bytes(12345678901234));
  EXPECT_EQ(find_counters(kText, "vif1.0")->dropped, Packets(7));
}

TEST(DeviceCounters, AbsentOrBrokenIsAnErrorThatNamesTheDevice) {
  for (const char* device :
       {"eth1", "eth", "broken", "face |bytes    packets errs drop fifo frame compressed multicast|bytes"}) {
    const auto none = find_counters(kText, device);
    ASSERT_FALSE(none);
    EXPECT_NE(none.error().what.find(device), std::string::npos);
  }
}

TEST(DeviceCounters, DifferenceIsAfterMinusBefore) {
  const DeviceCounters before{"eth0", Packets(1), Packets(2), Bytes(3), Bytes(4), Packets(5)};
  const DeviceCounters after{"eth0", Packets(11), Packets(22), Bytes(33), Bytes(44), Packets(55)};
  const DeviceCounters change = difference(before, after);
  EXPECT_EQ(change.received, Packets(10));
  EXPECT_EQ(change.sent, Packets(20));
  EXPECT_EQ(change.received_bytes, Bytes(30));
  EXPECT_EQ(change.sent_bytes, Bytes(40));
  EXPECT_EQ(change.dropped, Packets(50));
}

}  // namespace
}  // namespace vtax
