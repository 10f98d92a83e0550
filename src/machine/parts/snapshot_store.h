#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "core/descriptor.h"
#include "core/result.h"
#include "machine/parts/cache_limits.h"

namespace vtax::lab {

// Booted machines on disk, one file for everything that decides a machine's state: its image, its QEMU and
// its command line. A file appears whole or not at all, since it gets its name only when it is complete; two
// processes that want the same machine boot it once; two computers to which each other's locks do not reach
// (lock_reach.h) both do, and the later one's stays. Behind what QEMU saved, which reads no further, stands
// the hash of that and of the key.
class SnapshotStore {
 public:
  explicit SnapshotStore(std::filesystem::path directory, std::uint64_t kept_bytes = kKeptMachineBytes)
      : directory_(std::move(directory)), kept_bytes_(kept_bytes) {}

  // Boots the machine into the open file behind a path; called when no snapshot exists.
  using Boot = std::function<Result<>(const std::string& path)>;

  // A descriptor of the saved machine, readable; `boot` makes it when it is not there yet, or has no hash.
  // The longest unused others go then (cache_limits.h); who has one of them open keeps it.
  [[nodiscard]] Result<Descriptor> open(const std::string& key, const Boot& boot);

  // The same after the machine behind `damaged`, which open() gave, turned out not to resume: it is booted
  // anew unless another process has done so meanwhile. Who still uses the old file keeps it.
  [[nodiscard]] Result<Descriptor> replace(const std::string& key, const Descriptor& damaged,
                                           const Boot& boot);

  // Whether the machine is what was saved under this key: reads all of it. Error: trial_failed.
  [[nodiscard]] static Result<> check(const std::string& key, const Descriptor& machine);

  [[nodiscard]] bool contains(const std::string& key) const;

  // Removes all machines but those that are being booted now.
  void remove_all() const;

 private:
  [[nodiscard]] std::filesystem::path file_of(const std::string& key) const;
  [[nodiscard]] Result<Descriptor> lock(const std::string& key) const;
  [[nodiscard]] Result<Descriptor> boot_into(const std::string& key, const Boot& boot) const;
  void remove(const std::string& key) const;
  void remove_longest_unused() const;

  std::filesystem::path directory_;
  std::uint64_t kept_bytes_;
};

}  // namespace vtax::lab
