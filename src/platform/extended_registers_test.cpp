#include "platform/extended_registers.h"

#include <elf.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/ptrace.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>

namespace vtax {
namespace {

// errno of reading a set of registers of a stopped child, or 0.
int reading(unsigned long set) {
  const pid_t tracee = fork();
  if (tracee == 0) {
    ptrace(PTRACE_TRACEME, 0, nullptr, nullptr);
    raise(SIGSTOP);
    _exit(0);
  }
  waitpid(tracee, nullptr, 0);
  alignas(64) std::array<unsigned char, 16384> room{};
  iovec place{room.data(), room.size()};
  const int seen = ptrace(PTRACE_GETREGSET, tracee, set, &place) == 0 ? 0 : errno;
  kill(tracee, SIGKILL);
  waitpid(tracee, nullptr, 0);
  return seen;
}

// In a process of its own, as what it hides stays hidden.
TEST(ExtendedRegisters, AreHiddenAndNoOthers) {
  const pid_t child = fork();
  if (child == 0) {
    const bool were_there = reading(NT_X86_XSTATE) == 0;
    const bool done = hide_extended_registers() == 0;
    const bool are_hidden = reading(NT_X86_XSTATE) == EINVAL;
    const bool others = reading(NT_PRSTATUS) == 0 && reading(NT_PRFPREG) == 0;
    _exit(were_there && done && are_hidden && others ? 0 : 1);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

}  // namespace
}  // namespace vtax
