#include "workload/orders/programs_time.h"

#include <gtest/gtest.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

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

// A child, of an evil name, that has worked and waited for one of its own that did.
TEST(ProgramsTime, IsItsOwnAndItsChildrens) {
  int done[2], stop[2];
  ASSERT_EQ(pipe(done), 0);
  ASSERT_EQ(pipe(stop), 0);
  const pid_t child = fork();
  if (child == 0) {
    prctl(PR_SET_NAME, ") R 1 (");
    const pid_t inner = fork();
    work(200ms);
    if (inner == 0) _exit(0);
    char byte = 0;
    _exit(waitpid(inner, nullptr, 0) == inner && write(done[1], &byte, 1) == 1 && read(stop[0], &byte, 1) == 1
              ? 0
              : 1);
  }
  char byte = 0;
  ASSERT_EQ(read(done[0], &byte, 1), 1);
  const auto living = user_time_of_process(child);
  ASSERT_EQ(write(stop[1], &byte, 1), 1);
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
  EXPECT_GE(living, 300ms);
  EXPECT_LE(living, 500ms);
  EXPECT_EQ(user_time_of_process(child), 0ns);
  EXPECT_GE(user_time_of_programs(), 300ms);  // waited for
}

}  // namespace
}  // namespace vtax
