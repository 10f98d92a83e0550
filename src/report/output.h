#pragma once

#include <filesystem>
#include <fstream>
#include <memory>
#include <optional>
#include <ostream>
#include <string>

#include "core/result.h"
#include "core/unfinished_file.h"

namespace vtax {

// Where a report goes. A file appears whole or not at all: it is written beside its place under another name
// and renamed by commit(). "-" is the standard output; a device or pipe is written directly.
class Output {
 public:
  [[nodiscard]] static Result<Output> open(const std::string& path);

  // Whether it could be opened now, for those who work long before they write; leaves nothing behind.
  [[nodiscard]] static Result<> try_place(const std::string& path);

  [[nodiscard]] std::ostream& stream();

  // Errors: full disk and the like (io); the file that was there before is then untouched.
  [[nodiscard]] Result<> commit();

  Output(Output&& other) noexcept = default;
  Output& operator=(Output&&) = delete;
  Output(const Output&) = delete;
  Output& operator=(const Output&) = delete;
  ~Output();

 private:
  Output() = default;
  [[nodiscard]] int why_failed() const;  // an errno

  std::string what_ = "cannot write the standard output";
  std::filesystem::path place_;      // empty: standard output
  std::filesystem::path temporary_;  // empty: written directly
  std::optional<UnfinishedFile> unfinished_;
  std::unique_ptr<std::ofstream> file_;
};

}  // namespace vtax
