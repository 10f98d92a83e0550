#include "machine/parts/in_use.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>

#include <cerrno>
#include <chrono>
#include <string>
#include <vector>

#include "machine/parts/lock_reach.h"

namespace vtax::lab {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kRemoved = ".removed-";
constexpr std::chrono::hours kUsedElsewhere{7 * 24};

Descriptor open_folder(const fs::path& folder) {
  return Descriptor(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
}

bool lock_file(int fd, int kind) {
  while (::flock(fd, kind) != 0)
    if (errno != EINTR) return false;
  return true;
}

bool may_be_used_elsewhere(const fs::path& folder) {
  return may_be_shared(folder) && fs::file_time_type::clock::now() - last_used(folder) < kUsedElsewhere;
}

bool still_has_its_name(const Descriptor& open, const fs::path& path) {
  struct stat held {};
  struct stat named {};
  return ::fstat(open.get(), &held) == 0 && ::stat(path.c_str(), &named) == 0 &&
         held.st_ino == named.st_ino && held.st_dev == named.st_dev;
}

}  // namespace

InUse use_folder(const fs::path& folder) {
  Descriptor open = open_folder(folder);
  if (!open.valid() || !lock_file(open.get(), LOCK_SH) || !still_has_its_name(open, folder)) return nullptr;
  ::futimens(open.get(), nullptr);
  return std::make_shared<const Descriptor>(std::move(open));
}

fs::file_time_type last_used(const fs::path& folder) {
  std::error_code ignored;
  return fs::last_write_time(folder, ignored);
}

bool remove_unless_used(const fs::path& folder) {
  const Descriptor open = open_folder(folder);
  if (!open.valid()) return errno == ENOENT;
  if (!lock_file(open.get(), LOCK_EX | LOCK_NB) || !still_has_its_name(open, folder)) return false;
  if (may_be_used_elsewhere(folder)) return false;
  const fs::path removed = folder.parent_path() / (std::string(kRemoved) + folder.filename().string());
  std::error_code error;
  fs::remove_all(removed, error);
  fs::rename(folder, removed, error);
  if (error) return false;
  fs::remove_all(removed, error);
  return !error;
}

void remove_leftovers(const fs::path& parent) {
  std::error_code ignored;
  std::vector<fs::path> leftovers;
  for (const auto& entry : fs::directory_iterator(parent, ignored))
    if (entry.path().filename().string().starts_with(kRemoved)) leftovers.push_back(entry.path());
  for (const fs::path& leftover : leftovers) fs::remove_all(leftover, ignored);
}

}  // namespace vtax::lab
