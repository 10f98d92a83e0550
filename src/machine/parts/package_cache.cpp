#include "machine/parts/package_cache.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <system_error>

#include "core/descriptor.h"
#include "core/files.h"
#include "core/sha256.h"
#include "machine/parts/cache_limits.h"
#include "machine/parts/content_list.h"
#include "machine/parts/lock_reach.h"
#include "machine/parts/package_json.h"
#include "machine/parts/snapshot_store.h"

namespace vtax::lab {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr int kManifestSchema = 1;
constexpr std::size_t kNameDigits = 16;

constexpr const char* kElsewhere = "set VTAX_CACHE to a directory that you may write to";
constexpr const char* kOwnDisk = "set VTAX_CACHE to a directory on this computer's own disk";

Result<std::shared_ptr<const fs::path>> temporary_workplace() {
  std::error_code error;
  std::string pattern = (fs::temp_directory_path(error) / "vtax-cache-XXXXXX").string();
  if (error || ::mkdtemp(pattern.data()) == nullptr)
    return fail(system_error("cannot make a folder " + pattern, error ? error.value() : errno));
  const pid_t maker = ::getpid();  // what it forks leaves the folder alone
  return std::shared_ptr<const fs::path>(new fs::path(pattern), [maker](const fs::path* folder) {
    std::error_code ignored;
    if (::getpid() == maker) fs::remove_all(*folder, ignored);
    delete folder;
  });
}

Result<Descriptor> hold_lock(const fs::path& directory, const std::function<void()>& waiting = {}) {
  const fs::path file = directory / "lock";
  Descriptor lock(::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644));
  if (!lock.valid()) {
    const int why = errno;
    Error error = system_error("cannot open " + file.string(), why);
    if (why == EROFS || why == EACCES) error.next = kElsewhere;
    return fail(std::move(error));
  }
  if (waiting && ::flock(lock.get(), LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK) waiting();
  while (::flock(lock.get(), LOCK_EX) != 0)
    if (errno != EINTR) {
      Error error = system_error("cannot lock " + file.string(), errno);
      error.next = kOwnDisk;
      return fail(std::move(error));
    }
  return lock;
}

// Under the lock: what others of this computer have left is nobody's.
void remove_abandoned(const fs::path& temporary) {
  std::error_code ignored;
  std::vector<fs::path> abandoned;
  for (const auto& entry : fs::directory_iterator(temporary, ignored))
    if (is_abandoned(entry.path())) abandoned.push_back(entry.path());
  for (const fs::path& work : abandoned) fs::remove_all(work, ignored);
  // Another computer may be about to make its own there.
  if (!may_be_shared(temporary)) fs::remove(temporary, ignored);
}

// Gives a folder that is complete its name, instead of a damaged one; what another computer has made
// meanwhile stays.
Result<> put_in_place(const fs::path& work, const fs::path& target, const std::string& made_from) {
  const std::string what = "cannot create " + target.string();
  if (::rename(work.c_str(), target.c_str()) == 0) return {};
  if (errno != EEXIST && errno != ENOTEMPTY) return fail(system_error(what, errno));
  if (check_content(target, made_from)) return {};
  if (::renameat2(AT_FDCWD, work.c_str(), AT_FDCWD, target.c_str(), RENAME_EXCHANGE) == 0) return {};
  // NFS and FUSE exchange nothing.
  if (errno != EINVAL && errno != ENOSYS && errno != EOPNOTSUPP) return fail(system_error(what, errno));
  const fs::path aside = work.string() + ".damaged";
  if (::rename(target.c_str(), aside.c_str()) != 0 || ::rename(work.c_str(), target.c_str()) != 0)
    return fail(system_error(what, errno));
  return {};
}

// What a set's folder is made from.
std::string hash_of(const std::vector<Package>& packages) {
  Sha256 hash;
  for (const Package& package : packages)
    hash.add(package.name + " " + package.version + " " + package.sha256 + "\n");
  return hash.hex();
}

std::string directory_name(const std::string& set, const std::vector<Package>& packages) {
  return set + "-" + hash_of(packages).substr(0, kNameDigits);
}

// Whoever may write here decides what is run: the user and the system's own alone.
Result<> check_owner(const fs::path& folder) {
  struct stat status {};
  if (::stat(folder.c_str(), &status) != 0) return fail(system_error("cannot use " + folder.string(), errno));
  const Error error{
      "cannot use the cache " + folder.string(), "another user may write to it, and vtax runs what is there",
      "set VTAX_CACHE to a folder of your own, or: chmod -R go-w " + folder.string(), ExitCode::usage};
  const bool own = status.st_uid == ::geteuid() || status.st_uid == 0;
  if (!own || (status.st_mode & (S_IWGRP | S_IWOTH)) != 0) return fail(error);
  return {};
}

Result<> download_and_unpack(const Apt& apt, const std::vector<Package>& packages, const fs::path& into) {
  const fs::path debs = into / "debs";
  if (auto made = make_directories(debs); !made) return made;
  const auto files = apt.download(packages, debs);
  if (!files) return fail(files.error());
  for (const fs::path& file : *files)
    if (auto unpacked = unpack(file, into); !unpacked) return unpacked;
  std::error_code error;
  fs::remove_all(debs, error);
  return {};
}

}  // namespace

Result<PackageCache> PackageCache::open() {
  const auto variable = [](const char* name) {
    const char* value = std::getenv(name);
    return fs::path(value == nullptr ? "" : value);
  };
  if (const fs::path own = variable("VTAX_CACHE"); !own.empty()) return open(fs::absolute(own));
  if (const fs::path user = variable("XDG_CACHE_HOME"); user.is_absolute()) return open(user / "vtax");
  if (const fs::path home = variable("HOME"); home.is_absolute()) return open(home / ".cache" / "vtax");
  return fail({"cannot find a place for the cache", "neither VTAX_CACHE nor HOME is set",
               "set VTAX_CACHE to a directory with 2 GB of free space", ExitCode::io});
}

Result<PackageCache> PackageCache::open(fs::path directory) {
  if (auto made = make_own_directory(directory); !made) {
    made.error().next = kElsewhere;
    return fail(made.error());
  }
  std::error_code ignored;
  for (const fs::path& folder :
       {directory, directory / "packages", directory / "images", directory / "machines"})
    if (folder == directory || fs::exists(folder, ignored))
      if (auto owned = check_owner(folder); !owned) return fail(owned.error());
  PackageCache cache(std::move(directory));
  if (::access(cache.directory_.c_str(), W_OK) == 0 || !fs::exists(cache.directory_ / "packages", ignored))
    return cache;
  auto own = temporary_workplace();
  if (!own) return fail(own.error());
  cache.own_ = std::move(*own);
  return cache;
}

fs::path PackageCache::image(const std::string& name) const {
  const fs::path there = directory_ / "images" / name;
  std::error_code ignored;
  return fs::exists(there, ignored) ? there : workplace() / "images" / name;
}

std::optional<FetchedSet> PackageCache::find(PackageSet set) const {
  return find(std::string(name_of(set)));
}

std::optional<FetchedSet> PackageCache::find(const std::string& set) const {
  const fs::path folder = directory_ / "packages";
  const auto text = read_text(folder / (set + ".json"));
  if (!text) return std::nullopt;
  const json manifest = json::parse(*text, nullptr, false);
  if (!manifest.is_object() || manifest.value("schema", json()) != kManifestSchema) return std::nullopt;
  FetchedSet found{folder / text_field(manifest, "directory"),
                   packages_from(manifest.value("packages", json()))};
  if (found.packages.empty() || found.root.filename() != directory_name(set, found.packages) ||
      !has_content_list(found.root))
    return std::nullopt;
  found.in_use = use_folder(found.root);
  if (found.in_use == nullptr) return std::nullopt;
  return found;
}

Result<FetchedSet> PackageCache::fetch(PackageSet set, const Apt& apt, const TellStep& progress, Fetch why) {
  return fetch(wanted_set(set), apt, progress, why);
}

Result<FetchedSet> PackageCache::fetch(const WantedSet& set, const Apt& apt, const TellStep& progress,
                                       Fetch why) {
  const std::string& name = set.name;
  if (why != Fetch::newer) {
    if (auto found = find(name)) {
      const Result<> sound = why == Fetch::content ? found->check() : Result<>();
      if (sound) return *found;
      progress("the packages of " + set.told + " in the cache are damaged: " + sound.error().why);
    }
  }
  progress("asking apt for the packages of " + set.told);
  const auto packages = set.resolve(apt);
  if (!packages) return fail(packages.error());
  FetchedSet wanted{directory_ / "packages" / directory_name(name, *packages), *packages};
  const auto added = add(
      wanted.root, hash_of(*packages),
      [&](const fs::path& into) {
        progress("downloading and unpacking " + std::to_string(packages->size()) +
                 (packages->size() == 1 ? " package of " : " packages of ") + set.told + " (" +
                 readable_size(*packages) + ")");
        return download_and_unpack(apt, *packages, into);
      },
      progress);
  if (!added) return fail(added.error());
  const json manifest = {{"schema", kManifestSchema},
                         {"set", name},
                         {"directory", wanted.root.filename().string()},
                         {"packages", to_json(*packages)}};
  if (auto written = write_text(directory_ / "packages" / (name + ".json"), manifest.dump(2) + "\n");
      !written)
    return fail(written.error());
  wanted.in_use = use_folder(wanted.root);
  if (wanted.in_use == nullptr)
    return fail({"cannot use " + wanted.root.string(), "another program has removed it",
                 "run the same command again", ExitCode::io});
  remove_older(name, wanted.root);
  return wanted;
}

void PackageCache::remove_older(const std::string& set, const fs::path& current) const {
  remove_leftovers(current.parent_path());
  std::vector<fs::path> older;
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(current.parent_path(), ignored))
    if (entry.path().filename().string().starts_with(set + "-") && entry.path() != current)
      older.push_back(entry.path());
  for (const fs::path& folder : older) remove_unless_used(folder);
}

Result<PackageCache::Cleaned> PackageCache::clean(bool packages, const std::function<void()>& waiting) {
  const auto held = hold_lock(directory_, waiting);
  if (!held) return fail(held.error());
  Cleaned cleaned;
  const std::uint64_t before = bytes_below(directory_);
  std::error_code error;
  SnapshotStore(directory_ / "machines").remove_all();
  remove_abandoned(directory_ / "temporary");
  if (packages)
    for (const char* lists : {"backports", "releases"}) fs::remove_all(directory_ / lists, error);
  std::vector<const char*> parts = {"images"};
  if (packages) parts.push_back("packages");
  for (const char* part : parts) {
    remove_leftovers(directory_ / part);
    std::vector<fs::path> folders;
    for (const auto& entry : fs::directory_iterator(directory_ / part, error))
      if (entry.is_directory(error)) folders.push_back(entry.path());
    for (const fs::path& folder : folders) cleaned.in_use += remove_unless_used(folder) ? 0 : 1;
  }
  // A set's list of packages goes with its folder.
  if (packages) {
    std::vector<fs::path> lists;
    for (const auto& entry : fs::directory_iterator(directory_ / "packages", error))
      if (entry.path().extension() == ".json") lists.push_back(entry.path());
    for (const fs::path& list : lists)
      if (!find(list.stem().string())) fs::remove(list, error);
  }
  const std::uint64_t after = bytes_below(directory_);
  cleaned.freed_bytes = before > after ? before - after : 0;
  return cleaned;
}

Result<> FetchedSet::check() const {
  return check_content(root, hash_of(packages));
}

bool PackageCache::is_sound(const fs::path& target, const std::string& made_from) {
  return check_content(target, made_from).has_value();
}

Result<> PackageCache::add(const fs::path& target, const std::string& made_from,
                           const std::function<Result<>(const fs::path&)>& make, const TellStep& progress) {
  std::error_code error;
  if (is_sound(target, made_from)) return {};
  const fs::path base = target.parent_path().parent_path();
  const auto held = hold_lock(base);
  if (!held) return fail(held.error());
  if (fs::exists(target, error)) {
    const auto sound = check_content(target, made_from);
    if (sound) return {};
    progress(target.filename().string() + " in the cache is damaged, it is made anew: " + sound.error().why);
  }
  const fs::path temporary = base / "temporary";
  remove_abandoned(temporary);
  const fs::path work = temporary / with_node(target.filename().string());
  if (auto made = make_directories(work); !made) return made;
  if (auto made = make_own_directory(target.parent_path()); !made) return made;
  auto made = make(work);
  if (made) made = write_content_list(work, made_from);
  if (made) made = put_in_place(work, target, made_from);
  remove_abandoned(temporary);
  return made;
}

}  // namespace vtax::lab
