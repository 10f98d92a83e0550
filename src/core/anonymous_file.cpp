#include "core/anonymous_file.h"

#include <fmt/format.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>

namespace vtax {

Result<Descriptor> anonymous_file(const char* name, ByteView content) {
  Descriptor file(memfd_create(name, MFD_CLOEXEC));
  if (!file.valid())
    return fail(system_error(fmt::format("cannot make the anonymous file '{}'", name), errno));
  while (!content.empty()) {
    const ssize_t written = write(file.get(), content.data(), content.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0)
      return fail(system_error(fmt::format("cannot fill the anonymous file '{}'", name), errno));
    content = content.subspan(static_cast<std::size_t>(written));
  }
  lseek(file.get(), 0, SEEK_SET);
  return file;
}

}  // namespace vtax
