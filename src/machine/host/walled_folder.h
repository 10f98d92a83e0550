#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "core/result.h"
#include "machine/parts/rooted_folder.h"

namespace vtax::host {

// A file system in memory of the sandbox's own, in which is what somebody who is confined to it sees as "/"
// (program_confinement.h). It goes with the sandbox.
class WalledFolder {
 public:
  // Below the sandbox's scratch directory. `bytes`, `files`: all that it may hold. Error: unavailable.
  [[nodiscard]] static Result<WalledFolder> make(const std::string& name, std::uint64_t bytes,
                                                 std::uint64_t files);

  // Bound one by one: of the computer's other devices nobody in it sees any. Names are below /dev.
  [[nodiscard]] Result<> add_devices(const std::vector<std::string>& names);
  // By which taps are opened, those of its network namespace alone. Where the computer's is for root, who is
  // in it has one of his own.
  [[nodiscard]] Result<> add_tun();

  [[nodiscard]] lab::RootedFolder& inside() { return inside_; }
  [[nodiscard]] const std::filesystem::path& folder() const { return folder_; }  // the mount point
  [[nodiscard]] std::filesystem::path root() const { return folder_ / "root"; }

 private:
  WalledFolder(std::filesystem::path folder, lab::RootedFolder inside)
      : folder_(std::move(folder)), inside_(std::move(inside)) {}

  std::filesystem::path folder_;
  lab::RootedFolder inside_;
};

// That it cannot be mounted there, of errno.
[[nodiscard]] Error cannot_mount(const std::filesystem::path& where);

}  // namespace vtax::host
