#include "workload/iperf3/protocol.h"

#include <gtest/gtest.h>

#include <random>

#include "workload/traffic/datagram.h"

namespace vtax::iperf3 {
namespace {

TEST(Iperf3Protocol, AStampIsTheBytesThatIperf3Sends) {
  std::array<std::byte, 16> bytes{};
  write_stamp({5'000'007'000, 258}, true, bytes.data());  // 5 s and 7 us
  const std::array<int, 16> wide{0, 0, 0, 5, 0, 0, 0, 7, 0, 0, 0, 0, 0, 0, 1, 2};
  for (std::size_t i = 0; i < wide.size(); ++i) EXPECT_EQ(std::to_integer<int>(bytes[i]), wide[i]) << i;
  write_stamp({5'000'007'000, 258}, false, bytes.data());
  EXPECT_EQ(std::to_integer<int>(bytes[10]), 1);
  EXPECT_EQ(std::to_integer<int>(bytes[11]), 2);
}

TEST(Iperf3Protocol, AStampSurvivesTheWire) {
  for (const bool wide : {true, false}) {
    for (const std::uint64_t number : {std::uint64_t{1}, std::uint64_t{0xffffffff}}) {
      std::array<std::byte, 16> bytes{};
      write_stamp({123'456'789'000, number}, wide, bytes.data());
      const DatagramStamp back = read_stamp(bytes.data(), wide);
      EXPECT_EQ(back.sent_ns, 123'456'789'000);
      EXPECT_EQ(back.number, number);
    }
  }
}

TEST(Iperf3Protocol, NoiseInDatagramsIsCountedOnceAtMost) {
  std::mt19937_64 random(4);
  ReceptionMeter meter;
  std::uint64_t taken = 0;
  for (int i = 0; i < 20'000; ++i) {
    std::array<std::byte, 16> bytes{};
    for (std::byte& one : bytes) one = static_cast<std::byte>(random() & (i % 2 == 0 ? 0xff : 0x03));
    const DatagramStamp stamp = read_stamp(bytes.data(), i % 3 != 0);
    if (stamp.number == 0 || stamp.number > kMostBytes) continue;
    meter.take({stamp.number - 1, stamp.sent_ns}, static_cast<std::int64_t>(random() >> 8));
    ++taken;
    const Reception seen = meter.so_far();
    ASSERT_LE(seen.received + seen.duplicates, taken);
    ASSERT_LE(seen.received + seen.lost, meter.highest());
    ASSERT_GE(seen.jitter_ns, 0);
  }
  EXPECT_GT(taken, 1000U);
}

TEST(Iperf3Protocol, ACookieIs36CharactersAndAZero) {
  const auto one = make_cookie(), two = make_cookie();
  ASSERT_TRUE(one && two);
  EXPECT_NE(*one, *two);
  EXPECT_TRUE(plausible(*one));
  Cookie bad = *one;
  bad[7] = '\xc3';
  EXPECT_FALSE(plausible(bad));
  bad = *one;
  bad[3] = '\0';
  EXPECT_FALSE(plausible(bad));
  bad = *one;
  bad[36] = 'x';
  EXPECT_FALSE(plausible(bad));
}

TEST(Iperf3Protocol, StreamsAreNumberedAsStockSidesDo) {
  EXPECT_EQ(stream_id(0), 1);
  EXPECT_EQ(stream_id(1), 3);
  EXPECT_EQ(stream_id(2), 4);
}

}  // namespace
}  // namespace vtax::iperf3
