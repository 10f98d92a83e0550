#include "machine/host/window_readings.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>

namespace vtax::host {
namespace {

using std::chrono::milliseconds;

// Readings that have a number each, in place of a time.
WindowReadings::Take numbered(std::atomic<int>& calls) {
  return [&calls]() -> Result<WindowReading> {
    WindowReading reading;
    reading.books.parents[1] = ++calls;
    return reading;
  };
}

void wait_for(const std::atomic<int>& calls, int wanted) {
  for (int i = 0; i < 2000 && calls < wanted; ++i) std::this_thread::sleep_for(milliseconds(5));
  ASSERT_GE(calls, wanted);
}

TEST(WindowReadings, AreTakenUntilTheWindowEnds) {
  std::atomic<int> calls = 0;
  WindowReadings readings(milliseconds(1));
  readings.start(numbered(calls), {});
  wait_for(calls, 5);
  const auto taken = readings.stop();
  const int at_end = calls;
  ASSERT_EQ(taken.size(), static_cast<std::size_t>(at_end));
  for (std::size_t i = 0; i < taken.size(); ++i)
    EXPECT_EQ(taken[i].books.parents.at(1), static_cast<int>(i) + 1);
  EXPECT_EQ(readings.taken(), taken.size());
  EXPECT_GT(readings.spent().count(), 0);
  std::this_thread::sleep_for(milliseconds(20));
  EXPECT_EQ(calls, at_end) << "none after the end";
  EXPECT_TRUE(readings.stop().empty());
}

// 16 at most: from then on every second, fourth, ... one, and never a gap of another length but at the end.
TEST(WindowReadings, OfALongWindowEverySecondOneGoes) {
  std::atomic<int> calls = 0;
  WindowReadings readings(milliseconds(1), 16);
  readings.start(numbered(calls), {});
  wait_for(calls, 40);
  const auto taken = readings.stop();
  EXPECT_GE(taken.size(), 8U);
  EXPECT_LT(taken.size(), 16U);
  EXPECT_EQ(readings.taken(), static_cast<std::size_t>(calls.load()));
  for (std::size_t i = 1; i < taken.size(); ++i)
    EXPECT_GT(taken[i].books.parents.at(1), taken[i - 1].books.parents.at(1));
}

TEST(WindowReadings, AMomentAtWhichTheyFailIsPassedOver) {
  std::atomic<int> calls = 0;
  WindowReadings readings(milliseconds(1));
  readings.start(
      [&]() -> Result<WindowReading> {
        ++calls;
        return fail(Error{"read", "it is not there", "", ExitCode::unavailable});
      },
      {});
  wait_for(calls, 3);
  EXPECT_TRUE(readings.stop().empty());
}

TEST(WindowReadings, EndWithoutBeingStopped) {
  std::atomic<int> calls = 0;
  {
    WindowReadings never_started;
    WindowReadings readings(milliseconds(1));
    readings.start(numbered(calls), {});
  }
  const int at_end = calls;
  std::this_thread::sleep_for(milliseconds(20));
  EXPECT_EQ(calls, at_end);
}

TEST(CountedSystems, SlicesAreWhatWasCountedBetweenReadings) {
  Bench bench;
  bench.here = {{"system", "host", "vtaxs0"}, {"peer", "host", "vtaxp0"}};
  const CountedSystems systems(bench);
  ASSERT_EQ(systems.devices.size(), 1U);
  const auto counted = [](std::uint64_t n) {
    return DeviceCounters{"vtaxs0", Packets(n), Packets(2 * n), Bytes(3 * n), Bytes(4 * n), Packets(5 * n)};
  };
  using Column = std::vector<std::uint64_t>;
  const auto course = systems.course({{counted(10)}, {counted(11)}, {counted(31)}});
  ASSERT_EQ(course.size(), 1U);
  EXPECT_EQ(course[0].device, "vtaxs0");
  EXPECT_EQ(course[0].received_packets, (Column{1, 20}));
  EXPECT_EQ(course[0].sent_packets, (Column{2, 40}));
  EXPECT_EQ(course[0].received_bytes, (Column{3, 60}));
  EXPECT_EQ(course[0].sent_bytes, (Column{4, 80}));
  EXPECT_EQ(course[0].dropped_packets, (Column{5, 100}));
  EXPECT_TRUE(systems.course({{counted(10)}, {}, {counted(31)}}).empty()) << "one could not be read";
}

// Natively there is no port, and the systems' own device is read where they are.
TEST(CountedSystems, WithoutAPortAreReadInTheirNamespace) {
  Bench bench;
  bench.system.devices = {{"system", "host", "lo"}};
  bench.processes = {{getpid(), MeteredProcess::Role::system, 0}};
  const auto counters = CountedSystems(bench).read();
  ASSERT_EQ(counters.size(), 1U);
  EXPECT_EQ(counters[0].device, "lo");
}

}  // namespace
}  // namespace vtax::host
