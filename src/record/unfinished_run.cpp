#include "record/unfinished_run.h"

#include <system_error>

namespace vtax {

UnfinishedRun::UnfinishedRun(const std::filesystem::path& file) {
  for (const char* ending : {"", "-wal", "-shm"}) {
    files_.emplace_back(file.string() + ending);
    unfinished_.emplace_back(files_.back());
  }
}

UnfinishedRun::~UnfinishedRun() {
  std::error_code ignored;
  for (const auto& file : files_) std::filesystem::remove(file, ignored);
}

void UnfinishedRun::keep() {
  unfinished_.clear();
  files_.clear();
}

}  // namespace vtax
