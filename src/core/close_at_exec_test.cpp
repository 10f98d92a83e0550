#include "core/close_at_exec.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>

namespace vtax {
namespace {

// As before Linux 5.11, which has no such flag. For this process, for ever.
bool refuse_close_range() {
  sock_filter program[]{BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
                        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_close_range, 0, 1),
                        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EINVAL),
                        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)};
  const sock_fprog filter{4, program};
  return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
         prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) == 0;
}

// Whether a child's descriptor 300, which none of its flags closes, is marked; what went wrong otherwise.
int ended(bool on_old_linux) {
  const pid_t child = fork();
  if (child == 0) {
    if (dup2(0, 300) != 300 || fcntl(300, F_GETFD) != 0) _exit(2);
    if (on_old_linux && !refuse_close_range()) _exit(3);
    if (!close_all_at_exec()) _exit(4);
    _exit(fcntl(300, F_GETFD) == FD_CLOEXEC && fcntl(2, F_GETFD) == 0 ? 0 : 1);
  }
  int status = 0;
  return waitpid(child, &status, 0) == child && WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

TEST(CloseAtExec, IsOfAllDescriptors) {
  EXPECT_EQ(ended(false), 0);
}

TEST(CloseAtExec, IsOfAllDescriptorsWithoutTheCallForIt) {
  EXPECT_EQ(ended(true), 0);
}

}  // namespace
}  // namespace vtax
