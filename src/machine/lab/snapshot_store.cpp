#include "machine/lab/snapshot_store.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <span>
#include <vector>

#include "core/sha256.h"

namespace vtax::lab {
namespace {

namespace fs = std::filesystem;

constexpr const char* kSuffix = ".machine";

bool same_file(int a, int b) {
  struct stat first {};
  struct stat second {};
  return fstat(a, &first) == 0 && fstat(b, &second) == 0 && first.st_ino == second.st_ino &&
         first.st_dev == second.st_dev;
}

}  // namespace

std::string snapshot_key(const MachineSpec& spec, const std::string& image_hash) {
  std::string text = image_hash + "\n" + spec.qemu.banner + "\n";
  for (const std::string& argument : machine_arguments(spec)) text += argument + "\n";
  return sha256_hex(text);
}

bool SnapshotStore::contains(const std::string& key) const {
  std::error_code ignored;
  return fs::exists(file_of(key), ignored);
}

fs::path SnapshotStore::file_of(const std::string& key) const {
  return directory_ / (key + kSuffix);
}

// Held while booting: the kernel releases it whatever ends this process.
Result<Descriptor> SnapshotStore::lock(const std::string& key) const {
  std::error_code error;
  fs::create_directories(directory_, error);
  if (error) return fail(system_error("cannot make the folder " + directory_.string(), error.value()));
  Descriptor lock(::open((directory_ / (key + ".lock")).c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644));
  if (!lock.valid()) return fail(system_error("cannot lock " + directory_.string(), errno));
  while (flock(lock.get(), LOCK_EX) != 0)
    if (errno != EINTR) return fail(system_error("cannot lock " + directory_.string(), errno));
  return lock;
}

Result<Descriptor> SnapshotStore::open(const std::string& key, const Boot& boot) {
  const auto locked = lock(key);
  if (!locked) return fail(locked.error());
  const fs::path path = file_of(key);
  Descriptor saved(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (saved.valid()) {
    futimens(saved.get(), nullptr);
    return saved;
  }
  if (errno != ENOENT) return fail(system_error("cannot read " + path.string(), errno));
  return boot_into(path, boot);
}

Result<Descriptor> SnapshotStore::replace(const std::string& key, const Descriptor& damaged,
                                          const Boot& boot) {
  const auto locked = lock(key);
  if (!locked) return fail(locked.error());
  const fs::path path = file_of(key);
  Descriptor saved(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (saved.valid() && !same_file(saved.get(), damaged.get())) return saved;
  return boot_into(path, boot);
}

Result<Descriptor> SnapshotStore::boot_into(const fs::path& path, const Boot& boot) const {
  Descriptor file(::open(directory_.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0644));
  if (!file.valid()) return fail(system_error("cannot write into " + directory_.string(), errno));
  if (auto booted = boot(fmt::format("/proc/{}/fd/{}", getpid(), file.get())); !booted)
    return fail(booted.error());
  // The name must not outlive the content: a machine of zeros after a power cut would resume, and be wrong.
  if (fdatasync(file.get()) != 0) return fail(system_error("cannot write " + path.string(), errno));
  if (unlink(path.c_str()) != 0 && errno != ENOENT)
    return fail(system_error("cannot replace " + path.string(), errno));
  if (linkat(AT_FDCWD, fmt::format("/proc/self/fd/{}", file.get()).c_str(), AT_FDCWD, path.c_str(),
             AT_SYMLINK_FOLLOW) != 0)
    return fail(system_error("cannot write " + path.string(), errno));
  remove_longest_unused();
  return file;
}

void SnapshotStore::remove_longest_unused() const {
  std::error_code ignored;
  std::vector<std::pair<fs::file_time_type, fs::path>> machines;
  for (const auto& entry : fs::directory_iterator(directory_, ignored))
    if (entry.path().extension() == kSuffix)
      machines.emplace_back(entry.last_write_time(ignored), entry.path());
  std::sort(machines.rbegin(), machines.rend());
  for (std::size_t i = kept; i < machines.size(); ++i) {
    fs::remove(machines[i].second, ignored);
    fs::remove(fs::path(machines[i].second).replace_extension(".lock"), ignored);
  }
}

}  // namespace vtax::lab
