#pragma once

#include <chrono>
#include <filesystem>
#include <map>
#include <memory>
#include <string>

#include "core/result.h"
#include "record/database.h"
#include "record/file_lock.h"
#include "watch/reading.h"

namespace vtax::watch {

// Writes a recording, one transaction a reading: whatever ends the process, the file opens again with every
// reading whose append() returned. (What ends the computer may take the last ones: they are not waited for.)
// Others may read meanwhile.
class RecordingWriter {
 public:
  // Errors: the file exists (usage), system errors (io).
  [[nodiscard]] static Result<RecordingWriter> create(const std::filesystem::path& file,
                                                      std::chrono::nanoseconds delay);

  // Errors leave the file as it was: full disk and the like (io).
  [[nodiscard]] Result<> append(const Reading& reading);

  RecordingWriter(RecordingWriter&&) noexcept;
  RecordingWriter& operator=(RecordingWriter&&) = delete;
  // Leaves one plain file without -wal and -shm beside it.
  ~RecordingWriter();

 private:
  struct Statements;

  RecordingWriter(FileLock lock, Database database);
  [[nodiscard]] Result<> prepare();
  [[nodiscard]] Result<> insert(const Reading& reading);
  [[nodiscard]] Result<> insert_guest(const Reading& reading, std::size_t place);
  [[nodiscard]] Result<> insert_notes(const Reading& reading);
  [[nodiscard]] Result<std::uint64_t> string_id(const std::string& text);

  FileLock lock_;  // let go of last
  std::unique_ptr<Database> database_;
  std::unique_ptr<Statements> statements_;
  std::map<std::string, std::uint64_t> strings_;
  std::uint64_t next_string_ = 1;
};

}  // namespace vtax::watch
