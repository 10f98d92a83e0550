#include "machine/parts/whole_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <stdio.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "machine/parts/lock_reach.h"

namespace vtax::lab {

namespace fs = std::filesystem;

fs::path WholeFile::part(const fs::path& folder, const std::string& name) {
  return folder / ("." + with_node(name) + kPartSuffix);
}

Result<WholeFile> WholeFile::create(const fs::path& folder, const std::string& name, mode_t mode) {
  Descriptor unnamed(::open(folder.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, mode));
  if (unnamed.valid()) return WholeFile(std::move(unnamed), {});
  const std::string what = "cannot write into " + folder.string();
  if (errno != EOPNOTSUPP) return fail(system_error(what, errno));
  const fs::path named = part(folder, name);
  Descriptor file(::open(named.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, mode));
  if (!file.valid()) return fail(system_error(what, errno));
  return WholeFile(std::move(file), named);
}

WholeFile::WholeFile(WholeFile&& other) noexcept
    : file_(std::move(other.file_)), part_(std::exchange(other.part_, {})) {}

WholeFile::~WholeFile() {
  if (!part_.empty()) ::unlink(part_.c_str());
}

std::string WholeFile::path() const {
  return fmt::format("/proc/{}/fd/{}", ::getpid(), file_.get());
}

Result<> WholeFile::give_name(const fs::path& path) {
  if (!part_.empty()) {
    if (::rename(part_.c_str(), path.c_str()) != 0)
      return fail(system_error("cannot write " + path.string(), errno));
    part_.clear();
    return {};
  }
  if (::unlink(path.c_str()) != 0 && errno != ENOENT)
    return fail(system_error("cannot replace " + path.string(), errno));
  if (::linkat(AT_FDCWD, this->path().c_str(), AT_FDCWD, path.c_str(), AT_SYMLINK_FOLLOW) != 0)
    return fail(system_error("cannot write " + path.string(), errno));
  return {};
}

Descriptor WholeFile::take() && {
  if (!part_.empty()) ::unlink(std::exchange(part_, {}).c_str());
  return std::move(file_);
}

}  // namespace vtax::lab
