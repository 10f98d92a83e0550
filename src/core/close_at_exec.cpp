#include "core/close_at_exec.h"

#include <dirent.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>

namespace vtax {

bool close_all_at_exec() {
  if (syscall(SYS_close_range, 3, ~0U, CLOSE_RANGE_CLOEXEC) == 0) return true;
  DIR* const open = opendir("/proc/self/fd");  // Linux before 5.11
  if (open == nullptr) return false;
  bool all = true;
  errno = 0;
  while (const dirent* one = readdir(open)) {
    const int number = static_cast<int>(std::strtol(one->d_name, nullptr, 10));  // 0 of "." and ".."
    if (number >= 3 && fcntl(number, F_SETFD, FD_CLOEXEC) != 0) all = false;
  }
  const int why = errno;  // of readdir's, too: 0 at the end
  closedir(open);
  errno = why;
  return all && why == 0;
}

}  // namespace vtax
