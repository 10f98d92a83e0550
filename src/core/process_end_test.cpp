#include "core/process_end.h"

#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

namespace vtax {
namespace {

pid_t started(void (*work)()) {
  const pid_t child = fork();
  if (child == 0) {
    work();
    _exit(0);
  }
  return child;
}

void expect_end(pid_t child, const std::string& text) {
  pollfd ended{};
  const Descriptor process = process_descriptor(child);
  if (!process.valid()) GTEST_SKIP() << "this kernel has no pidfd";
  ended = {process.get(), POLLIN, 0};
  ASSERT_EQ(poll(&ended, 1, 10'000), 1);
  EXPECT_EQ(end_of_child(child), text);
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child) << "it was left to be waited for";
  EXPECT_EQ(end_text(status), text);
  EXPECT_EQ(end_of_child(child), "");
}

TEST(ProcessEnd, IsByCodeOrBySignal) {
  expect_end(started([] { _exit(3); }), "it ended with code 3");
  expect_end(started([] { raise(SIGKILL); }), "it was killed by signal 9 (Killed)");
}

TEST(ProcessEnd, OfWhatRunsIsNotKnown) {
  const pid_t child = started([] { pause(); });
  EXPECT_EQ(end_of_child(child), "");
  kill(child, SIGKILL);
  waitpid(child, nullptr, 0);
}

TEST(KernelPanic, IsTheConsolesLastLineOfIt) {
  EXPECT_EQ(
      kernel_panic_in("[ 1.0] a\r\n[ 2.0] Kernel panic - not syncing: no init\x1b\r\n[ 2.0] CPU: 0\r\n"),
      "Kernel panic - not syncing: no init?");
  EXPECT_EQ(kernel_panic_in("Kernel panic - one\nKernel panic - two"), "Kernel panic - two");
  EXPECT_EQ(kernel_panic_in("it is well\n"), "");
}

}  // namespace
}  // namespace vtax
