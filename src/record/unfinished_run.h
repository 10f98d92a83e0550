#pragma once

#include <filesystem>
#include <vector>

#include "core/unfinished_file.h"

namespace vtax {

// A run file of which a part is nothing. Where this ends before keep(), or a signal ends the process at once,
// the file goes with what SQLite has beside it. It must outlive the file's RunWriter.
class UnfinishedRun {
 public:
  explicit UnfinishedRun(const std::filesystem::path& file);
  UnfinishedRun(const UnfinishedRun&) = delete;
  UnfinishedRun& operator=(const UnfinishedRun&) = delete;
  ~UnfinishedRun();

  void keep();

 private:
  std::vector<std::filesystem::path> files_;
  std::vector<UnfinishedFile> unfinished_;
};

}  // namespace vtax
