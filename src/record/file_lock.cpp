#include "record/file_lock.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

namespace vtax {
namespace {

// SQLite locks bytes from 2^30 to 2^30 + 511.
constexpr off_t kLockedByte = off_t{1} << 40U;

}  // namespace

Result<FileLock> FileLock::take(const std::filesystem::path& file, Open how, const std::string& what) {
  const int flags = O_RDWR | O_CLOEXEC | (how == Open::create_new ? O_CREAT | O_EXCL : 0);
  FileLock lock(::open(file.c_str(), flags, 0644));
  if (lock.descriptor_ < 0 && errno == EEXIST) {
    std::error_code error;
    if (std::filesystem::is_directory(file, error))
      return fail({what, "it is a folder", "name a file in it: --out " + (file / "run.vtax").string()});
    return fail({what, "it exists already", "go on with it by --resume, or choose another name by --out"});
  }
  if (lock.descriptor_ < 0) return fail(system_error(what, errno));
  struct flock range {};
  range.l_type = F_WRLCK;
  range.l_whence = SEEK_SET;
  range.l_start = kLockedByte;
  range.l_len = 1;
  // Of the open file, not of the process: SQLite's closing of other descriptors does not drop it.
  if (::fcntl(lock.descriptor_, F_OFD_SETLK, &range) != 0) {
    if (errno != EAGAIN && errno != EACCES) return fail(system_error(what, errno));
    return fail({what, "another vtax is writing it", "wait for that run to end", ExitCode::io});
  }
  return lock;
}

FileLock::FileLock(FileLock&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}

FileLock& FileLock::operator=(FileLock&& other) noexcept {
  std::swap(descriptor_, other.descriptor_);
  return *this;
}

FileLock::~FileLock() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

}  // namespace vtax
