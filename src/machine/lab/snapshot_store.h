#pragma once

#include <filesystem>
#include <functional>
#include <string>

#include "core/descriptor.h"
#include "core/result.h"
#include "machine/lab/machine_spec.h"

namespace vtax::lab {

// Booted machines on disk, one file for everything that decides a machine's state: its image, its QEMU and
// its command line. A file appears whole or not at all, since it gets its name only when it is complete; two
// processes that want the same machine boot it once.
class SnapshotStore {
 public:
  // How many machines are kept; the longest unused go first. One takes 200 to 300 MB.
  static constexpr std::size_t kept = 6;

  explicit SnapshotStore(std::filesystem::path directory) : directory_(std::move(directory)) {}

  // Boots the machine into the open file behind a path; called when no snapshot exists.
  using Boot = std::function<Result<>(const std::string& path)>;

  // A descriptor of the saved machine, readable; `boot` makes it when it is not there yet.
  [[nodiscard]] Result<Descriptor> open(const std::string& key, const Boot& boot);

  // The same after the machine behind `damaged`, which open() gave, turned out not to resume: it is booted
  // anew unless another process has done so meanwhile. Who still uses the old file keeps it.
  [[nodiscard]] Result<Descriptor> replace(const std::string& key, const Descriptor& damaged,
                                           const Boot& boot);

  [[nodiscard]] bool contains(const std::string& key) const;

 private:
  [[nodiscard]] std::filesystem::path file_of(const std::string& key) const;
  [[nodiscard]] Result<Descriptor> lock(const std::string& key) const;
  [[nodiscard]] Result<Descriptor> boot_into(const std::filesystem::path& path, const Boot& boot) const;
  void remove_longest_unused() const;

  std::filesystem::path directory_;
};

// The key: SHA-256 over the image's hash, QEMU's version and the whole command line.
[[nodiscard]] std::string snapshot_key(const MachineSpec& spec, const std::string& image_hash);

}  // namespace vtax::lab
