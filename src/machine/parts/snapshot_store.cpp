#include "machine/parts/snapshot_store.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <set>
#include <vector>

#include "core/fast_hash.h"
#include "core/files.h"
#include "machine/parts/lock_reach.h"
#include "machine/parts/whole_file.h"

namespace vtax::lab {
namespace {

namespace fs = std::filesystem;

constexpr const char* kSuffix = ".machine";
constexpr const char* kLockSuffix = ".lock";

// A line behind the machine's state.
constexpr std::string_view kSealBegin = "\nvtax-machine 1 ";
constexpr std::size_t kSealBytes = kSealBegin.size() + kFastHashDigits + 1;

// Of an open machine, sealed or not; 0 when it cannot be asked.
std::uint64_t bytes_of(const Descriptor& machine) {
  struct stat status {};
  return fstat(machine.get(), &status) == 0 ? static_cast<std::uint64_t>(status.st_size) : 0;
}

// Empty when there is none.
std::string seal_in(const Descriptor& machine) {
  const std::uint64_t size = bytes_of(machine);
  std::string seal(kSealBytes, '\0');
  if (size < kSealBytes || pread(machine.get(), seal.data(), seal.size(),
                                 static_cast<off_t>(size - kSealBytes)) != static_cast<ssize_t>(kSealBytes))
    return "";
  return seal.starts_with(kSealBegin) && seal.ends_with('\n') ? seal : "";
}

Result<std::string> seal_for(const std::string& key, const Descriptor& machine, std::uint64_t length) {
  FastHash hash;
  if (auto added = add_file(hash, machine.get(), length, "cannot read the booted machine"); !added)
    return fail(added.error());
  hash.add(key);
  return fmt::format("{}{}\n", kSealBegin, hash.hex());
}

bool same_file(int a, int b) {
  struct stat first {};
  struct stat second {};
  return fstat(a, &first) == 0 && fstat(b, &second) == 0 && first.st_ino == second.st_ino &&
         first.st_dev == second.st_dev;
}

}  // namespace

bool SnapshotStore::contains(const std::string& key) const {
  std::error_code ignored;
  return fs::exists(file_of(key), ignored);
}

fs::path SnapshotStore::file_of(const std::string& key) const {
  return directory_ / (key + kSuffix);
}

// Held while booting: the kernel releases it whatever ends this process.
Result<Descriptor> SnapshotStore::lock(const std::string& key) const {
  if (auto made = make_own_directory(directory_); !made) return fail(made.error());
  const fs::path file = directory_ / (key + kLockSuffix);
  while (true) {
    Descriptor lock(::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644));
    if (!lock.valid()) return fail(system_error("cannot lock " + directory_.string(), errno));
    while (flock(lock.get(), LOCK_EX) != 0)
      if (errno != EINTR) return fail(system_error("cannot lock " + directory_.string(), errno));
    // Who held it may have removed it with its machine; then it keeps nobody out.
    if (const Descriptor named(::open(file.c_str(), O_RDONLY | O_CLOEXEC));
        named.valid() && same_file(named.get(), lock.get()))
      return lock;
  }
}

void SnapshotStore::remove(const std::string& key) const {
  const fs::path file = directory_ / (key + kLockSuffix);
  const Descriptor lock(::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644));
  if (!lock.valid() || flock(lock.get(), LOCK_EX | LOCK_NB) != 0) return;  // it is being booted or opened
  std::error_code ignored;
  fs::remove(WholeFile::part(directory_, key), ignored);
  fs::remove(file_of(key), ignored);
  // Another computer may remember the name of the lock after it is gone.
  if (!may_be_shared(directory_)) fs::remove(file, ignored);
}

Result<Descriptor> SnapshotStore::open(const std::string& key, const Boot& boot) {
  const auto locked = lock(key);
  if (!locked) return fail(locked.error());
  const fs::path path = file_of(key);
  Descriptor saved(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!saved.valid() && errno != ENOENT) return fail(system_error("cannot read " + path.string(), errno));
  if (!saved.valid() || seal_in(saved).empty()) return boot_into(key, boot);
  futimens(saved.get(), nullptr);
  return saved;
}

Result<Descriptor> SnapshotStore::replace(const std::string& key, const Descriptor& damaged,
                                          const Boot& boot) {
  const auto locked = lock(key);
  if (!locked) return fail(locked.error());
  const fs::path path = file_of(key);
  Descriptor saved(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (saved.valid() && !same_file(saved.get(), damaged.get())) return saved;
  return boot_into(key, boot);
}

Result<> SnapshotStore::check(const std::string& key, const Descriptor& machine) {
  const Error damaged{"cannot resume the booted machine", "its file in the cache is not what was saved",
                      "run the same command again", ExitCode::trial_failed};
  const std::string seal = seal_in(machine);
  if (seal.empty()) return fail(damaged);
  const auto expected = seal_for(key, machine, bytes_of(machine) - kSealBytes);
  if (!expected || *expected != seal) return fail(damaged);
  return {};
}

Result<Descriptor> SnapshotStore::boot_into(const std::string& key, const Boot& boot) const {
  const fs::path path = file_of(key);
  auto machine = WholeFile::create(directory_, key, 0644);
  if (!machine) return fail(machine.error());
  if (auto booted = boot(machine->path()); !booted) return fail(booted.error());
  const Descriptor& file = machine->file();
  const std::uint64_t length = bytes_of(file);
  const auto seal = seal_for(key, file, length);
  if (!seal) return fail(seal.error());
  if (pwrite(file.get(), seal->data(), seal->size(), static_cast<off_t>(length)) !=
      static_cast<ssize_t>(seal->size()))
    return fail(system_error("cannot write " + path.string(), errno));
  // The name must not outlive the content: a machine of zeros after a power cut would resume, and be wrong.
  if (fdatasync(file.get()) != 0) return fail(system_error("cannot write " + path.string(), errno));
  if (auto named = machine->give_name(path); !named) return fail(named.error());
  remove_longest_unused();
  return std::move(*machine).take();
}

void SnapshotStore::remove_longest_unused() const {
  std::error_code ignored;
  std::vector<CachedPart> machines;
  for (const auto& entry : fs::directory_iterator(directory_, ignored))
    if (entry.path().extension() == kSuffix)
      machines.push_back({entry.path(), entry.file_size(ignored), entry.last_write_time(ignored)});
  for (const fs::path& machine : longest_unused(std::move(machines), kept_bytes_))
    remove(machine.stem().string());
}

void SnapshotStore::remove_all() const {
  std::error_code ignored;
  std::set<std::string> keys;
  std::vector<fs::path> of_others;
  for (const auto& entry : fs::directory_iterator(directory_, ignored)) {
    const std::string name = entry.path().stem().string();
    const bool is_part = entry.path().extension() == WholeFile::kPartSuffix;
    const std::string key = is_part ? name.substr(1, name.rfind('@') - 1) : name;
    keys.insert(key);
    if (is_part && entry.path() != WholeFile::part(directory_, key) && is_abandoned(entry.path()))
      of_others.push_back(entry.path());
  }
  for (const std::string& key : keys) remove(key);
  for (const fs::path& part : of_others) fs::remove(part, ignored);
}

}  // namespace vtax::lab
