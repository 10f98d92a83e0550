#pragma once

#include <filesystem>
#include <string>

#include "core/result.h"

namespace vtax {

// Holds a file against a second writer, for as long as the object lives; the kernel lets go of it when the
// process ends in whatever way. One byte far beyond SQLite's own lock bytes is locked, so readers are not
// kept out.
class FileLock {
 public:
  enum class Open { existing, create_new };

  // Errors: system errors; `io` when another process holds the file; with create_new `usage` when it exists.
  [[nodiscard]] static Result<FileLock> take(const std::filesystem::path& file, Open open,
                                             const std::string& what);

  FileLock(FileLock&& other) noexcept;
  FileLock& operator=(FileLock&& other) noexcept;
  FileLock(const FileLock&) = delete;
  FileLock& operator=(const FileLock&) = delete;
  ~FileLock();

 private:
  explicit FileLock(int descriptor) : descriptor_(descriptor) {}

  int descriptor_ = -1;
};

}  // namespace vtax
