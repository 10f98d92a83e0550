#include "machine/parts/rooted_folder.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>

#include "core/readable.h"

namespace vtax::lab {
namespace {

namespace fs = std::filesystem;

constexpr int kMostLinks = 16;
constexpr mode_t kFolderMode = 0755;  // whatever the umask

// As if `root` were "/".
int open_in(int root, const fs::path& path) {
  open_how how{};
  how.flags = O_PATH | O_DIRECTORY | O_CLOEXEC;
  how.resolve = RESOLVE_IN_ROOT;
  return static_cast<int>(syscall(SYS_openat2, root, path.empty() ? "." : path.c_str(), &how, sizeof how));
}

// Where the link leads; empty: it is none.
fs::path target_of(int folder, const fs::path& link) {
  char text[4096];
  const ssize_t size = readlinkat(folder, link.filename().c_str(), text, sizeof text);
  if (size <= 0) return {};
  const fs::path target(std::string(text, static_cast<std::size_t>(size)));
  return (target.is_absolute() ? target : link.parent_path() / target).lexically_normal().relative_path();
}

}  // namespace

Result<RootedFolder> RootedFolder::open(const fs::path& root, uid_t owner) {
  RootedFolder self;
  self.owner_ = owner;
  if (mkdir(root.c_str(), kFolderMode) != 0 && errno != EEXIST) return fail(self.failed(root));
  self.root_ = Descriptor(::open(root.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!self.root_.valid() || fchown(self.root_.get(), owner, owner) != 0 ||
      fchmod(self.root_.get(), kFolderMode) != 0)
    return fail(self.failed(root));
  return self;
}

Result<> RootedFolder::directory(const std::string& path) {
  const auto made = folder(path, kMostLinks);
  if (!made) return fail(made.error());
  return {};
}

Result<> RootedFolder::file(const std::string& path, const std::vector<std::uint8_t>& content,
                            unsigned permissions) {
  const fs::path whole(path);
  const auto parent = folder(whole.parent_path(), kMostLinks);
  if (!parent) return fail(parent.error());
  const std::string name = whole.filename();
  if (unlinkat(parent->get(), name.c_str(), 0) != 0 && errno != ENOENT) return fail(failed(path));
  const Descriptor out(
      openat(parent->get(), name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, permissions));
  if (!out.valid()) return fail(failed(path));
  for (std::size_t written = 0; written < content.size();) {
    const ssize_t now = write(out.get(), content.data() + written, content.size() - written);
    if (now < 0 && errno == EINTR) continue;
    if (now <= 0) return fail(failed(path));
    written += static_cast<std::size_t>(now);
  }
  if (fchmod(out.get(), permissions) != 0) return fail(failed(path));
  return own(parent->get(), name);
}

Result<> RootedFolder::symlink(const std::string& path, const std::string& target) {
  const fs::path whole(path);
  const auto parent = folder(whole.parent_path(), kMostLinks);
  if (!parent) return fail(parent.error());
  if (symlinkat(target.c_str(), parent->get(), whole.filename().c_str()) != 0)
    return errno == EEXIST ? Result<>() : fail(failed(path));
  return own(parent->get(), whole.filename());
}

Result<Descriptor> RootedFolder::folder(const fs::path& path, int links_left) {
  if (Descriptor there(open_in(root_.get(), path)); there.valid()) return there;
  if (errno != ENOENT || path.empty()) return fail(failed(path));
  const auto parent = folder(path.parent_path(), links_left);
  if (!parent) return fail(parent.error());
  if (mkdirat(parent->get(), path.filename().c_str(), kFolderMode) == 0) {
    if (fchmodat(parent->get(), path.filename().c_str(), kFolderMode, 0) != 0) return fail(failed(path));
    if (Result<> owned = own(parent->get(), path.filename()); !owned) return fail(owned.error());
  } else if (errno != EEXIST) {
    return fail(failed(path));
  } else if (const fs::path target = target_of(parent->get(), path); target.empty() || links_left == 0) {
    errno = target.empty() ? ENOTDIR : ELOOP;
    return fail(failed(path));
  } else if (const auto made = folder(target, links_left - 1); !made) {  // a link whose target comes later
    return fail(made.error());
  }
  Descriptor made(open_in(root_.get(), path));
  if (!made.valid()) return fail(failed(path));
  return made;
}

Result<> RootedFolder::own(int folder, const std::string& name) const {
  if (fchownat(folder, name.c_str(), owner_, owner_, AT_SYMLINK_NOFOLLOW) != 0) return fail(failed(name));
  return {};
}

Error RootedFolder::failed(const fs::path& path) const {
  const int why = errno;
  return system_error("cannot write the program's " + printable(path.string(), 200), why);
}

}  // namespace vtax::lab
