#include "meter/cpu_clock.h"
#include "meter/loopback_for_test.h"

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sched.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <thread>

namespace vtax::meter {
namespace {

std::uint64_t now_ns(clockid_t clock) {
  timespec at{};
  clock_gettime(clock, &at);
  return static_cast<std::uint64_t>(at.tv_sec) * 1'000'000'000 + static_cast<std::uint64_t>(at.tv_nsec);
}

void burn(std::uint64_t ns) {
  const std::uint64_t start = now_ns(CLOCK_THREAD_CPUTIME_ID);
  while (now_ns(CLOCK_THREAD_CPUTIME_ID) - start < ns) {
  }
}

TEST(CpuClock, DividesEachCpusTimeWithoutAGap) {
  auto clock = CpuClock::start();
  if (!clock) GTEST_SKIP() << clock.error().text();
  for (int round = 0; round < 3; ++round) {
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    const auto asked = std::chrono::steady_clock::now();
    const auto lap = clock->lap();
    ASSERT_TRUE(lap);
    EXPECT_GE(lap->at, asked);
    EXPECT_LE(lap->at, std::chrono::steady_clock::now());
    std::map<int, std::uint64_t> sums;
    for (const ClockedTime& time : lap->times) sums[time.cpu] += time.ns;
    ASSERT_FALSE(lap->span_ns.empty());
    for (const auto& [cpu, span] : lap->span_ns) {
      EXPECT_GT(span, 50'000'000U);
      // An interrupt may come between two instructions of a program.
      EXPECT_NEAR(static_cast<double>(sums[cpu]), static_cast<double>(span), 20'000) << "cpu " << cpu;
    }
  }
}

TEST(CpuClock, AThreadsTimeIsItsSchedulersAndStaysWhenItEnds) {
  auto clock = CpuClock::start();
  if (!clock) GTEST_SKIP() << clock.error().text();
  const pid_t child = fork();
  if (child == 0) {
    burn(100'000'000);
    _exit(0);
  }
  int status = 0;
  waitpid(child, &status, 0);
  const auto lap = clock->lap();
  ASSERT_TRUE(lap);
  std::uint64_t ns = 0;
  for (const ClockedTime& time : lap->times)
    if (time.key.process == static_cast<std::uint32_t>(child)) ns += time.ns;
  // The scheduler leaves out what the machine below takes, the clock does not; and the scheduler's clock is
  // another one than this one.
  EXPECT_GT(ns, 95'000'000U);
  EXPECT_LT(ns, 200'000'000U);
}

// Loopback packets are worked on in a softirq of this very thread.
TEST(CpuClock, SoftirqsGoToTheirPacketsDevice) {
  auto clock = CpuClock::start();
  if (!clock) GTEST_SKIP() << clock.error().text();
  ASSERT_NO_FATAL_FAILURE(send_packets_to_oneself());
  struct stat own {};
  ASSERT_EQ(stat("/proc/self/ns/net", &own), 0);
  const auto lap = clock->lap();
  ASSERT_TRUE(lap);
  std::uint64_t ns = 0, polls = 0, segments = 0;
  for (const ClockedTime& time : lap->times) {
    if (time.key.thread != static_cast<std::uint32_t>(getpid()) ||
        time.key.came != DeviceKey{static_cast<std::uint32_t>(own.st_ino), 1})
      continue;
    if (time.key.mode == ClockMode::packets) ns += time.ns;
    if (time.key.mode == ClockMode::poll) polls += time.ns;
    segments += time.segments;
  }
  EXPECT_GE(segments, 2000U);
  EXPECT_GT(polls, 2000U * 20) << "each packet's softirq comes to it first";
  EXPECT_GT(ns, 2000U * 100) << "2000 packets take more than 100 ns each";
  EXPECT_LT(ns, 1'000'000'000U);
}

}  // namespace
}  // namespace vtax::meter
