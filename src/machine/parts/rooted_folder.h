#pragma once

#include <sys/types.h>

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "core/descriptor.h"
#include "core/result.h"

namespace vtax::lab {

// Writes files of somebody else's choosing below a folder, and nowhere else: links among them lead as they
// would if that were the root, and no further. Paths have no slash in front; folders above them come by
// themselves. All is `owner`'s, a user and group of this number. Needs Linux 5.6 (openat2).
class RootedFolder {
 public:
  // Made if it is not there; nobody else may write in it.
  [[nodiscard]] static Result<RootedFolder> open(const std::filesystem::path& root, uid_t owner);

  [[nodiscard]] Result<> directory(const std::string& path);
  // In place of what is there.
  [[nodiscard]] Result<> file(const std::string& path, const std::vector<std::uint8_t>& content,
                              unsigned permissions = 0644);
  // If nothing is there.
  [[nodiscard]] Result<> symlink(const std::string& path, const std::string& target);

 private:
  [[nodiscard]] Result<Descriptor> folder(const std::filesystem::path& path, int links_left);
  [[nodiscard]] Result<> own(int folder, const std::string& name) const;
  [[nodiscard]] Error failed(const std::filesystem::path& path) const;  // of errno

  Descriptor root_;
  uid_t owner_ = 0;
};

}  // namespace vtax::lab
