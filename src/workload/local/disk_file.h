#pragma once

#include <cstdint>
#include <string>

#include "core/descriptor.h"
#include "core/result.h"
#include "workload/local/sector_pattern.h"

namespace vtax {

// What the disk workload reads and writes: most often a file of its own.
class DiskFile {
 public:
  // Made new, and unlinked as soon as it is open, so that it is gone however the process ends. What is there
  // already, a file, a link or a device, is refused and left alone.
  [[nodiscard]] static Result<DiskFile> make(const std::string& path);

  // Somebody else's regular file or block device of at least `size` bytes: it stays and never grows. What it
  // holds is overwritten only with `write`, and a device only with `device` as well and while nothing uses it
  // (O_EXCL, open(2)).
  struct Permission {
    bool write = false, device = false;
  };
  [[nodiscard]] static Result<DiskFile> existing(const std::string& path, std::uint64_t size,
                                                 Permission permission);

  [[nodiscard]] int fd() const { return file_.get(); }

  // Reserves the space where the file system can. Full disks and limits show here or when it is written.
  [[nodiscard]] Result<> reserve(std::uint64_t size) const;
  // Writes the whole pattern and puts it on the disk.
  [[nodiscard]] Result<> write_pattern(std::uint64_t size, SectorPattern& pattern) const;
  // Past the page cache from now on. `block` is to suit the device.
  [[nodiscard]] Result<> go_direct(std::uint64_t block) const;
  [[nodiscard]] Result<> sync() const;
  // The same of the first `size` bytes, in pieces, since a sync that runs cannot be interrupted.
  [[nodiscard]] Result<> sync_in_pieces(std::uint64_t size) const;
  // Takes clean pages out of the page cache; the file system may keep some (tmpfs keeps all).
  void drop_cache(std::uint64_t size) const;
  // Which part of the file the page cache holds; 0 when it cannot be told.
  [[nodiscard]] double cached_share(std::uint64_t size) const;

  // `what` with the file's name and what errno means for it.
  [[nodiscard]] Error error(const std::string& what, int error_number) const;
  // EINVAL of direct I/O.
  [[nodiscard]] Error alignment_error(std::uint64_t block, std::uint64_t wanted) const;

 private:
  enum class Flush { start, finish };
  Result<> flush(std::uint64_t offset, std::uint64_t size, Flush how) const;

  std::string path_;
  Descriptor file_;
};

}  // namespace vtax
