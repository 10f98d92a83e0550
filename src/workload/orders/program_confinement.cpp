#include "workload/orders/program_confinement.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <grp.h>
#include <linux/audit.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/keyctl.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <fstream>
#include <utility>

#include "core/kernel_file.h"

namespace vtax {
namespace {

// Above those that distributions and systemd give to anybody (systemd's UIDS-GIDS.md).
constexpr uid_t kFirstId = 0x70000000;
constexpr std::uint32_t kIds = 65536;

// Of root among its own users: what servers need to have files of, and to become, another one of them.
constexpr std::uint32_t kKeptCapabilities = (1U << CAP_CHOWN) | (1U << CAP_DAC_OVERRIDE) |
                                            (1U << CAP_FOWNER) | (1U << CAP_KILL) | (1U << CAP_SETGID) |
                                            (1U << CAP_SETUID);

struct Place {
  std::string folder, root = "/lab/program";
};

Place& place() {
  static Place one;
  return one;
}

// Whether a map of the kernel's ("inside outside count" a line) has all of the programs' users.
bool has_program_ids(const char* map) {
  std::ifstream in(map);
  for (std::uint64_t inside = 0, outside = 0, count = 0; in >> inside >> outside >> count;)
    if (inside <= kFirstId && inside + count >= std::uint64_t{kFirstId} + kIds) return true;
  return false;
}

bool is_in(std::uint32_t kept, int capability) {
  return capability < 32 && (kept >> capability & 1U) != 0;
}

bool set_capabilities(std::uint32_t kept) {
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3]{{kept, kept, 0}, {0, 0, 0}};
  return syscall(SYS_capset, &header, data) == 0;
}

// The keys of whoever runs vtax stay his. Who may not even ask, has none either.
bool leave_keys_behind() {
  return syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, nullptr) >= 0 || errno == ENOSYS || errno == EPERM;
}

#if defined(__x86_64__)
constexpr unsigned kArchitecture = AUDIT_ARCH_X86_64, kFirstForeignCall = 0x40000000;  // x32's
#elif defined(__aarch64__)
constexpr unsigned kArchitecture = AUDIT_ARCH_AARCH64, kFirstForeignCall = 0x40000000;
#endif

// What no namespace divides: keys, and vsock, by which the machine below and its other guests are reached;
// io_uring makes sockets past this filter. What has no argument to look at costs nothing: the kernel
// remembers it. Needs no_new_privs.
bool refuse_what_no_namespace_divides() {
  constexpr auto load = [](std::size_t offset) {
    return sock_filter BPF_STMT(BPF_LD | BPF_W | BPF_ABS, static_cast<unsigned>(offset));
  };
  constexpr auto refuse = [](int why) {
    return sock_filter BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | static_cast<unsigned>(why));
  };
  constexpr auto unless = [](unsigned short how, unsigned value, unsigned char skip) {
    return sock_filter BPF_JUMP(static_cast<unsigned short>(BPF_JMP | BPF_K | how), value, 0, skip);
  };
  std::array program{load(offsetof(seccomp_data, arch)),
                     sock_filter BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, kArchitecture, 1, 0),
                     refuse(ENOSYS),
                     load(offsetof(seccomp_data, nr)),
                     unless(BPF_JGE, kFirstForeignCall, 1),
                     refuse(ENOSYS),
                     unless(BPF_JEQ, SYS_io_uring_setup, 1),
                     refuse(ENOSYS),
                     unless(BPF_JEQ, SYS_keyctl, 1),
                     refuse(ENOSYS),
                     unless(BPF_JEQ, SYS_add_key, 1),
                     refuse(ENOSYS),
                     unless(BPF_JEQ, SYS_request_key, 1),
                     refuse(ENOSYS),
                     unless(BPF_JEQ, SYS_socket, 3),
                     load(offsetof(seccomp_data, args)),  // the low half of the family
                     unless(BPF_JEQ, AF_VSOCK, 1),
                     refuse(EAFNOSUPPORT),
                     sock_filter BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)};
  const sock_fprog filter{program.size(), program.data()};
  return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) == 0;
}

}  // namespace

ProgramIds ProgramIds::of_this_process() {
  static const bool has_range =
      has_program_ids("/proc/self/uid_map") && has_program_ids("/proc/self/gid_map");
  return has_range ? ProgramIds{kFirstId, kIds} : ProgramIds{};
}

void confine_programs(const std::string& folder) {
  place() = {folder, folder + "/root"};
}

bool are_programs_confined() {
  return !place().folder.empty();
}

const std::string& program_root() {
  return place().root;
}

const std::string& folder_of_programs() {
  return place().folder;
}

Result<ProgramConfinement> ProgramConfinement::make(std::string folder) {
  int entered[2];
  if (pipe2(entered, O_CLOEXEC) != 0) return fail(system_error("cannot confine a program", errno));
  ProgramConfinement self;
  self.folder_ = std::move(folder);
  self.entered_ = Descriptor(entered[0]);
  self.tell_ = Descriptor(entered[1]);
  return self;
}

bool ProgramConfinement::enter(int gate) const {
  // Where memory runs out, the program goes before anything of the computer's.
  static_cast<void>(write_kernel_file("/proc/self/oom_score_adj", "1000"));
  if (unshare(CLONE_NEWNS | CLONE_NEWIPC | CLONE_NEWUTS) != 0 ||
      mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0 || chdir(folder_.c_str()) != 0 ||
      syscall(SYS_pivot_root, ".", ".") != 0 || umount2(".", MNT_DETACH) != 0 || chdir("/") != 0)
    return false;
  if (!leave_keys_behind()) return false;
  // After the mounts, which so are not the program's to change; before chroot, within which the kernel makes
  // no further user namespace.
  if (unshare(CLONE_NEWUSER) != 0) return false;
  char byte = 0;
  if (write(tell_.get(), &byte, 1) != 1) return false;
  errno = 0;
  while (read(gate, &byte, 1) < 0)
    if (errno != EINTR) return false;
  return byte != 0 && chroot("/root") == 0 && chdir("/") == 0;
}

bool ProgramConfinement::give_up_rights(uid_t user, gid_t group, bool traces) {
  const std::uint32_t kept = kKeptCapabilities | (traces ? 1U << CAP_SYS_PTRACE : 0);
  const rlimit processes{kMostProcesses, kMostProcesses}, data{kMostDataBytes, kMostDataBytes};
  if (setrlimit(RLIMIT_NPROC, &processes) != 0 || setrlimit(RLIMIT_DATA, &data) != 0) return false;
  for (int capability = 0; prctl(PR_CAPBSET_READ, capability) >= 0; ++capability)
    if (!is_in(kept, capability) && prctl(PR_CAPBSET_DROP, capability) != 0) return false;
  // Without others to become, the groups are those of whoever runs vtax, and stay.
  if (setgroups(0, nullptr) != 0 && errno != EPERM) return false;
  if (setresgid(group, group, group) != 0 || setresuid(user, user, user) != 0) return false;
  return set_capabilities(user == 0 ? kept : 0) && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
         refuse_what_no_namespace_divides();
}

Result<> ProgramConfinement::let_in(pid_t child, int gate) {
  tell_.reset();
  prctl(PR_SET_CHILD_SUBREAPER, 1);  // what the program leaves behind stays this one's, and so the trial's
  char byte = 0;
  ssize_t got = 0;
  while ((got = read(entered_.get(), &byte, 1)) < 0 && errno == EINTR) {
  }
  if (got != 1)
    return fail({"confine a program", "it was not given namespaces of its own",
                 "vtax doctor says what this computer needs for programs", ExitCode::unavailable});
  // Only in this end's network: nobody else's ports are reached by it.
  static_cast<void>(write_kernel_file("/proc/sys/net/ipv4/ip_unprivileged_port_start", "0"));
  const ProgramIds ids = ProgramIds::of_this_process();
  const std::string map = fmt::format("0 {} {}", ids.first, ids.count);
  for (const char* which : {"uid_map", "gid_map"})
    if (Result<> mapped = write_kernel_file(fmt::format("/proc/{}/{}", child, which), map); !mapped) {
      Error error = mapped.error();
      error.next = "vtax doctor says what this computer needs for programs";
      error.code = ExitCode::unavailable;
      return fail(std::move(error));
    }
  byte = 1;
  if (write(gate, &byte, 1) != 1) return fail(system_error("cannot confine a program", errno));
  return {};
}

}  // namespace vtax
