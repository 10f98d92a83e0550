#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "core/result.h"
#include "record/database.h"
#include "watch/reading.h"

namespace vtax::watch {

// Whether the file says that it is a recording; nothing else in it is looked at. False of what cannot be
// read.
[[nodiscard]] bool is_recording(const std::filesystem::path& file);

struct RecordingHeader {
  std::string vtax_version, started_utc;
  std::uint64_t delay_ns = 0;
  std::uint64_t readings = 0;
};

// Reads a recording, which is taken as foreign: damaged, truncated, newer or hostile files give an error. All
// reads see the file as it was at open(), also while a writer adds to it.
class RecordingReader {
 public:
  // Errors: no such file, no recording, newer schema (usage); damaged (io).
  [[nodiscard]] static Result<RecordingReader> open(const std::filesystem::path& file);

  [[nodiscard]] const RecordingHeader& header() const { return header_; }

  // Calls `use` with each reading in order; one is in memory at a time. Ends with the first error, of the
  // file (a reading that differs from its seal is one) or of `use`.
  [[nodiscard]] Result<> for_each(const std::function<Result<>(const Reading&)>& use);

 private:
  struct Rows;

  explicit RecordingReader(Database database) : database_(std::make_unique<Database>(std::move(database))) {}
  [[nodiscard]] Result<> load();
  [[nodiscard]] Result<Reading> read(Rows& rows);
  [[nodiscard]] Result<> read_details(Rows& rows, Reading& reading);
  [[nodiscard]] const std::string* string(std::uint64_t id) const;

  std::unique_ptr<Database> database_;
  RecordingHeader header_;
  std::vector<std::string> strings_;  // by id - 1
};

}  // namespace vtax::watch
