#include "workload/orders/program_confinement.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>

namespace vtax {
namespace {

// In a child that has given up its rights: 0 where `tried` holds.
int ended_in_confinement(bool (*tried)()) {
  const pid_t child = fork();
  if (child == 0) {
    if (!ProgramConfinement::give_up_rights(getuid(), getgid())) _exit(2);
    _exit(tried() ? 0 : 1);
  }
  int status = 0;
  return waitpid(child, &status, 0) == child && WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

TEST(ProgramConfinement, RefusesWhatNoNamespaceDivides) {
  if (geteuid() != 0) GTEST_SKIP() << "only root may give up capabilities for ever";
  EXPECT_EQ(
      ended_in_confinement([] { return socket(AF_VSOCK, SOCK_STREAM, 0) < 0 && errno == EAFNOSUPPORT; }), 0);
  for (const auto call :
       {+[] { return syscall(SYS_keyctl, 0, -3, 0) < 0 && errno == ENOSYS; },
        +[] { return syscall(SYS_add_key, "user", "a", "b", 1, -3) < 0 && errno == ENOSYS; },
        +[] { return syscall(SYS_io_uring_setup, 1, nullptr) < 0 && errno == ENOSYS; }})
    EXPECT_EQ(ended_in_confinement(call), 0);
}

TEST(ProgramConfinement, LeavesWhatProgramsNeed) {
  if (geteuid() != 0) GTEST_SKIP() << "only root may give up capabilities for ever";
  EXPECT_EQ(ended_in_confinement([] { return socket(AF_INET, SOCK_STREAM, 0) >= 0; }), 0);
  EXPECT_EQ(ended_in_confinement([] { return socket(AF_UNIX, SOCK_STREAM, 0) >= 0; }), 0);
  EXPECT_EQ(ended_in_confinement([] {
              const pid_t child = fork();
              if (child == 0) _exit(0);
              return child > 0 && waitpid(child, nullptr, 0) == child;
            }),
            0);
}

}  // namespace
}  // namespace vtax
