#include "platform/extended_registers.h"

#include <cpuid.h>
#include <elf.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>

#include <array>
#include <cerrno>
#include <cstddef>

namespace vtax {
namespace {

constexpr unsigned kUmlRegisterBytes = 2696;

// Low halves, on a little-endian machine.
constexpr unsigned kSystemCall = offsetof(seccomp_data, nr), kArchitecture = offsetof(seccomp_data, arch),
                   kRequest = offsetof(seccomp_data, args), kRegisterSet = kRequest + 2 * sizeof(__u64);

constexpr sock_filter take(unsigned offset) {
  return BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offset);
}
// Or to the end, `behind` instructions behind the next one.
constexpr sock_filter is(unsigned value, unsigned char behind) {
  return BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, 0, behind);
}

}  // namespace

bool uml_has_room_for_registers() {
  unsigned a = 0, bytes = 0, c = 0, d = 0;
  // Leaf 0xD, EBX: the size of all that this kernel has switched on (XCR0).
  return __get_cpuid_count(0xd, 0, &a, &bytes, &c, &d) == 0 || bytes <= kUmlRegisterBytes;
}

int hide_extended_registers() {
  std::array<sock_filter, 10> program{
      {take(kArchitecture), is(AUDIT_ARCH_X86_64, 7), take(kSystemCall), is(SYS_ptrace, 5), take(kRequest),
       is(PTRACE_GETREGSET, 3), take(kRegisterSet), is(NT_X86_XSTATE, 1),
       BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EINVAL), BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)}};
  const sock_fprog filter{program.size(), program.data()};
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return errno;
  return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) == 0 ? 0 : errno;
}

}  // namespace vtax
