#pragma once

#include <cstddef>
#include <filesystem>

namespace vtax {

// A file that is nothing until it is whole. While this lives, a process that a signal ends at once takes the
// file with it. Of more than some at a time, and of paths that are longer than the kernel takes, nothing is
// remembered.
class UnfinishedFile {
 public:
  explicit UnfinishedFile(const std::filesystem::path& file);
  UnfinishedFile(UnfinishedFile&& other) noexcept;
  UnfinishedFile& operator=(UnfinishedFile&&) = delete;
  UnfinishedFile(const UnfinishedFile&) = delete;
  UnfinishedFile& operator=(const UnfinishedFile&) = delete;
  ~UnfinishedFile();  // the file stays

 private:
  static constexpr std::size_t kNoPlace = ~std::size_t{0};

  std::size_t place_ = kNoPlace;
};

// For a signal handler.
void remove_unfinished_files();

}  // namespace vtax
