#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>

#include "core/descriptor.h"
#include "core/result.h"

// What keeps a program of the user's from all else, where its system is a real computer (docs/design/host.md,
// "Programs of one's own"). In the lab, whose computer is emulated, none of this is.
namespace vtax {

// The users of a confined program as this process numbers them: its own 0, 1, ... are `first`, `first` + 1,
// ...
struct ProgramIds {
  uid_t first = 0;
  std::uint32_t count = 1;  // 1 where this user namespace has no others to give: root alone

  [[nodiscard]] static ProgramIds of_this_process();
};

// From now on programs of this process, and of those that it forks, are confined to `folder`/root. `folder`:
// a mount point below which nothing but theirs is.
void confine_programs(const std::string& folder);
[[nodiscard]] bool are_programs_confined();
[[nodiscard]] const std::string& folder_of_programs();  // empty: they are not

// Where a system has the program's files; the program sees it as "/".
[[nodiscard]] const std::string& program_root();

// One program on its way in: namespaces of its own for users, mounts, messages between processes and the
// computer's name; the rights that a server needs among its own users, and no way to more; limits. So is a
// program that runs the kernel in which the user's program is.
class ProgramConfinement {
 public:
  static constexpr std::uint64_t kMostProcesses = 1024, kMostDataBytes = 2ULL << 30;

  // `folder`: as confine_programs() has it.
  [[nodiscard]] static Result<ProgramConfinement> make(std::string folder);

  // In the program's child, in this order; false: errno says why not, or 0 that it was not let in. `gate`: on
  // which let_in() is heard. `traces`: as root it may trace processes of its own user namespace where
  // Yama (ptrace_scope 2) lets nobody do so without CAP_SYS_PTRACE.
  [[nodiscard]] bool enter(int gate) const;
  [[nodiscard]] static bool give_up_rights(uid_t user, gid_t group, bool traces = false);

  // In its parent, once, which becomes the parent of the program's orphans. Error (unavailable): the child
  // could not enter.
  [[nodiscard]] Result<> let_in(pid_t child, int gate);

 private:
  std::string folder_;
  Descriptor entered_, tell_;
};

}  // namespace vtax
