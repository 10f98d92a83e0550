#include "workload/orders/program_files.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "core/input_file.h"
#include "workload/orders/program_confinement.h"

namespace vtax {

Descriptor open_program_file(const std::string& path, int flags) {
  const Descriptor root(open(program_root().c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  open_how how{};
  how.flags = static_cast<unsigned>(flags | O_CLOEXEC);
  how.resolve = RESOLVE_IN_ROOT;
  return Descriptor(static_cast<int>(syscall(SYS_openat2, root.get(), path.c_str(), &how, sizeof how)));
}

bool is_program_file(const std::string& path) {
  const Descriptor file = open_program_file(path, O_PATH | O_NOFOLLOW);
  struct stat status {};
  return file.valid() && fstat(file.get(), &status) == 0 && !S_ISDIR(status.st_mode);
}

std::string target_of_program_link(const std::string& path) {
  const Descriptor link = open_program_file(path, O_PATH | O_NOFOLLOW);
  char text[4096];
  const ssize_t size = link.valid() ? readlinkat(link.get(), "", text, sizeof text) : -1;
  return size > 0 ? std::string(text, static_cast<std::size_t>(size)) : std::string();
}

std::string read_program_file(const std::string& path) {
  constexpr std::size_t kMostBytes = 1 << 20;
  // Who waits for nobody at a pipe that the program may have made.
  const Descriptor file = open_program_file(path, O_RDONLY | O_NONBLOCK | O_NOCTTY);
  struct stat status {};
  if (!file.valid() || fstat(file.get(), &status) != 0 || !S_ISREG(status.st_mode)) return {};
  return read_up_to(file, kMostBytes, path).value_or("");
}

}  // namespace vtax
