#include "profile/monitor.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <linux/perf_event.h>

#include <cstring>

#include "profile/agent.h"

namespace vtax::profile {
namespace {

using std::chrono::microseconds;
using testing::HasSubstr;

TEST(Settle, LowersTheClockToWhatSamplingMayTake) {
  MonitorOptions options;
  options.hz = 99;
  const auto kept = settle(options, microseconds(5), 1e9);
  ASSERT_TRUE(kept);
  EXPECT_EQ(kept->period, 10'101'010U);
  EXPECT_EQ(kept->note, "");
  options.hz = 10'000;  // at 5 us each 5 % of a CPU
  const auto lowered = settle(options, microseconds(5), 1e9);
  ASSERT_TRUE(lowered);
  EXPECT_EQ(lowered->period, 500'000U);
  EXPECT_THAT(lowered->note, HasSubstr("10000 Hz was lowered to 2000 Hz"));
}

TEST(Settle, RefusesAPeriodOfEventsThatMayCostMore) {
  MonitorOptions options;
  options.event = Event::cycles;
  options.period = 10'000'000;
  EXPECT_TRUE(settle(options, microseconds(5), 6e9));
  options.period = 100'000;
  const auto refused = settle(options, microseconds(5), 6e9);
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().next, HasSubstr("--period 3000000"));
}

template <class T>
void put(std::vector<std::uint8_t>& bytes, T value) {
  bytes.resize(bytes.size() + sizeof value);
  std::memcpy(bytes.data() + bytes.size() - sizeof value, &value, sizeof value);
}

TEST(PerfRecord, ASampleHasItsStackWithModes) {
  std::vector<std::uint8_t> bytes;
  put<std::uint32_t>(bytes, PERF_RECORD_SAMPLE);
  put<std::uint16_t>(bytes, PERF_RECORD_MISC_KERNEL);
  put<std::uint16_t>(bytes, 0);
  put<std::uint64_t>(bytes, 0xffffffff81000010);
  put<std::uint32_t>(bytes, 7);
  put<std::uint32_t>(bytes, 8);
  put<std::uint64_t>(bytes, 1'234);
  put<std::uint64_t>(bytes, 1);
  put<std::uint64_t>(bytes, 5);
  for (const std::uint64_t entry : {static_cast<std::uint64_t>(PERF_CONTEXT_KERNEL),
                                    std::uint64_t{0xffffffff81000010}, std::uint64_t{0xffffffff81000020},
                                    static_cast<std::uint64_t>(PERF_CONTEXT_USER), std::uint64_t{0x401000}})
    put(bytes, entry);
  const auto size = static_cast<std::uint16_t>(bytes.size());
  std::memcpy(bytes.data() + 6, &size, sizeof size);
  const auto record = parse_record(bytes);
  ASSERT_TRUE(record);
  EXPECT_EQ(record->time_ns, 1'234U);
  const auto& sample = std::get<Sample>(record->what);
  EXPECT_EQ(sample.process, 7);
  EXPECT_EQ(sample.thread, 8);
  ASSERT_EQ(sample.stack.size(), 3U);
  EXPECT_EQ(sample.stack[0].mode, Mode::kernel);
  EXPECT_EQ(sample.stack[1].address, 0xffffffff81000020U);
  EXPECT_EQ(sample.stack[2].mode, Mode::user);
  bytes[40] = 200;  // more entries than there are
  EXPECT_FALSE(parse_record(bytes));
}

TEST(ProcessMaps, OnlyCodeIsTaken) {
  const auto maps = parse_maps(5,
                               "00400000-00401000 r--p 00000000 08:02 17  /bin/a b\n"
                               "00401000-00403000 r-xp 00001000 08:02 17  /bin/a b\n"
                               "7f0000000000-7f0000001000 rwxp 00000000 00:00 0\n"
                               "nonsense\n");
  ASSERT_EQ(maps.size(), 2U);
  EXPECT_EQ(maps[0].begin, 0x401000U);
  EXPECT_EQ(maps[0].size, 0x2000U);
  EXPECT_EQ(maps[0].file_offset, 0x1000U);
  EXPECT_EQ(maps[0].inode, 17U);
  EXPECT_EQ(maps[0].file, "/bin/a b");
  EXPECT_EQ(maps[1].file, "");
}

TEST(KernelNames, KnowModules) {
  const auto names = KernelNames::parse(
      "ffffffff81000000 T start\nffffffff81000100 t next\nffffffffc0000000 t pull\t[netback]\n"
      "0000000000000000 T hidden\n");
  EXPECT_EQ(names.at(0xffffffff81000010).name, "start");
  EXPECT_EQ(names.at(0xffffffff81000100).image, "vmlinux");
  EXPECT_EQ(names.at(0xffffffffc0000010).image, "netback");
  EXPECT_EQ(names.at(0x10).name, kUnknownFunction);
  EXPECT_TRUE(KernelNames::parse("0000000000000000 T start\n").hidden());
}

TEST(AgentAddress, IsReadInAllItsForms) {
  const auto plain = parse_agent_address("web=192.0.2.7");
  ASSERT_TRUE(plain);
  EXPECT_EQ(plain->guest, "web");
  EXPECT_EQ(plain->host, "192.0.2.7");
  EXPECT_EQ(plain->port, kAgentPort);
  const auto six = parse_agent_address("web=[2001:db8::7]:99");
  ASSERT_TRUE(six);
  EXPECT_EQ(six->host, "2001:db8::7");
  EXPECT_EQ(six->port, 99U);
  const auto vsock = parse_agent_address("db=vsock:3:70000");
  ASSERT_TRUE(vsock);
  EXPECT_EQ(vsock->context, 3U);
  EXPECT_EQ(vsock->port, 70'000U);
  for (const char* bad : {"web", "=192.0.2.7", "web=", "web=2001:db8::7", "web=1.2.3.4:", "web=1.2.3.4:0",
                          "web=1.2.3.4:70000", "web=vsock:x", "web=[::1", "web=[::1]x"})
    EXPECT_FALSE(parse_agent_address(bad)) << bad;
}

}  // namespace
}  // namespace vtax::profile
