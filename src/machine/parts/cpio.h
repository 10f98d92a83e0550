#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "core/bytes.h"

namespace vtax::lab {

// An initramfs in cpio's "newc" format (Documentation/driver-api/early-userspace/buffer-format.rst of Linux).
// The same entries give the same bytes, in whatever order they were added: sorted by path, numbered in
// that order, times zero, owner root. Directories above an entry come by themselves. Paths have no leading
// slash.
class CpioArchive {
 public:
  void directory(const std::string& path);
  void file(const std::string& path, std::vector<std::uint8_t> content, unsigned permissions = 0644);
  void symlink(const std::string& path, const std::string& target);
  void character_device(const std::string& path, unsigned major, unsigned minor);

  [[nodiscard]] std::vector<std::uint8_t> bytes() const;

 private:
  struct Entry {
    unsigned mode = 0;
    unsigned major = 0;
    unsigned minor = 0;
    std::vector<std::uint8_t> content = {};
  };
  void add(const std::string& path, Entry entry);

  std::map<std::string, Entry> entries_;  // a directory sorts before what it contains
};

}  // namespace vtax::lab
