#pragma once

#include <sys/types.h>

#include <filesystem>
#include <string>

#include "core/descriptor.h"
#include "core/result.h"

namespace vtax::lab {

// A file that gets its name when it is whole, and is gone otherwise. It has none before (O_TMPFILE); where
// the storage has no such files (NFS, FUSE) it has one of its own, .NAME@NODE.part, which is left behind when
// its maker is killed, and is written over by this computer's next of the same name.
class WholeFile {
 public:
  // Among this computer's processes no other makes a file of this name now.
  [[nodiscard]] static Result<WholeFile> create(const std::filesystem::path& folder, const std::string& name,
                                                mode_t mode);
  WholeFile(WholeFile&&) noexcept;
  WholeFile& operator=(WholeFile&&) = delete;
  WholeFile(const WholeFile&) = delete;
  WholeFile& operator=(const WholeFile&) = delete;
  ~WholeFile();

  [[nodiscard]] const Descriptor& file() const { return file_; }
  // By which other processes open it while this one lives.
  [[nodiscard]] std::string path() const;
  // Instead of what has that name; in the same folder.
  [[nodiscard]] Result<> give_name(const std::filesystem::path& path);
  // The open file; one that has no name goes with it.
  [[nodiscard]] Descriptor take() &&;

  // Of a file that is being made, or was left behind.
  [[nodiscard]] static std::filesystem::path part(const std::filesystem::path& folder,
                                                  const std::string& name);
  static constexpr const char* kPartSuffix = ".part";

 private:
  WholeFile(Descriptor file, std::filesystem::path part) : file_(std::move(file)), part_(std::move(part)) {}

  Descriptor file_;
  std::filesystem::path part_;  // empty where it has no name
};

}  // namespace vtax::lab
