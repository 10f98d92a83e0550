#include "workload/orders/programs_time.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cerrno>

namespace vtax {
namespace {

using namespace std::chrono_literals;

void work(std::chrono::nanoseconds long_enough) {
  timespec used{};
  do {
    for (int i = 0; i < 100'000; ++i) asm volatile("" : : "r"(i));
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
  } while (std::chrono::seconds(used.tv_sec) + std::chrono::nanoseconds(used.tv_nsec) < long_enough);
}

TEST(ProgramsTime, IsAllUserTimeAndAllOfTheKernels) {
  //                                   user nice system idle iowait irq softirq steal guest
  const auto said = programs_time_in("cpu  100 20 3000 9999 999 400 50000 777 60", 150ms);
  EXPECT_EQ(said.user, 1200ms);
  EXPECT_EQ(said.own, 150ms);
  EXPECT_EQ(said.kernel, 534s);
  for (const char* bad : {"", "cpu 1 2 3", "intr 1 2 3 4 5 6 7 8"})
    EXPECT_EQ(programs_time_in(bad, 0ns).user + programs_time_in(bad, 0ns).kernel, 0ns) << bad;
}

// As a busy computer's guest said: 180 ms in ticks since its boot, of which its agent alone used 500 ms.
TEST(ProgramsTime, OfAWindowIsWhatGrewInItHoweverManyTicksWereMissedBefore) {
  const ProgramsTime before{180ms, 500ms, 4s}, after{320ms, 520ms, 4500ms};
  EXPECT_EQ(programs_share(before, after).user, 120ms);
  EXPECT_EQ(programs_share(before, after).kernel, 500ms);
  EXPECT_EQ(programs_share(after, before).user + programs_share(after, before).kernel, 0ns);
  EXPECT_EQ(programs_share({180ms, 500ms, 0s}, {190ms, 530ms, 0s}).user, 0ns);
}

// Such a child's time is in no book of its parent's.
TEST(ProgramsTime, HasThoseForWhomNobodyWaited) {
  const auto before = programs_time();
  const pid_t parent = fork();
  if (parent == 0) {
    signal(SIGCHLD, SIG_IGN);
    const pid_t child = fork();
    if (child == 0) {
      work(300ms);
      _exit(0);
    }
    _exit(child > 0 && waitpid(child, nullptr, 0) < 0 && errno == ECHILD ? 0 : 1);
  }
  int status = 0;
  ASSERT_EQ(waitpid(parent, &status, 0), parent);
  EXPECT_EQ(status, 0);
  EXPECT_GE(programs_share(before, programs_time()).user, 200ms);
}

}  // namespace
}  // namespace vtax
