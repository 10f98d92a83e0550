#include "core/input_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string_view>

namespace vtax {
namespace {

std::string_view kind_of_file(mode_t mode) {
  if (S_ISDIR(mode)) return "it is a directory";
  if (S_ISFIFO(mode)) return "it is a named pipe, not a file";
  if (S_ISCHR(mode) || S_ISBLK(mode)) return "it is a device, not a file";
  return "it is not a file";
}

}  // namespace

Result<Descriptor> open_input(const std::filesystem::path& file, const std::string& what) {
  Descriptor in(::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  struct stat status {};
  // A socket cannot be opened at all.
  if (!in.valid() && errno == ENXIO) return fail({what, "it is not a file", "", ExitCode::usage});
  if (!in.valid() && (errno == ENOENT || errno == ENOTDIR))
    return fail({what, std::strerror(errno), "", ExitCode::usage});
  if (!in.valid() || ::fstat(in.get(), &status) != 0) return fail(system_error(what, errno));
  if (!S_ISREG(status.st_mode))
    return fail({what, std::string(kind_of_file(status.st_mode)), "", ExitCode::usage});
  return in;
}

Result<std::string> read_up_to(const Descriptor& in, std::size_t bytes, const std::string& what) {
  std::string text(bytes, '\0');
  for (std::size_t at = 0; at < text.size();) {
    const ssize_t got = ::read(in.get(), text.data() + at, text.size() - at);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return fail(system_error(what, errno));
    if (got == 0) text.resize(at);
    at += static_cast<std::size_t>(got);
  }
  return text;
}

}  // namespace vtax
