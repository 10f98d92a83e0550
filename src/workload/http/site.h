#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "core/descriptor.h"
#include "core/result.h"
#include "workload/http/file_set.h"

namespace vtax::http {

// What a server can be asked for. Nothing is looked up in a file system while it serves: a path that was not
// found when the site was made is not there, so that no request can lead out of it.
class Site {
 public:
  struct Content {
    int fd = -1;  // of the site
    std::uint64_t offset = 0, size = 0;
    const char* memory = nullptr;  // the same bytes where they are mapped
    std::string fields;            // "Content-Length: 5 CRLF Content-Type: ... CRLF CRLF"
  };

  // All files of the set, in memory (one memfd, so that they can be sent without a copy).
  [[nodiscard]] static Result<Site> of(const FileSet& set);

  // "/", of so many bytes.
  [[nodiscard]] static Result<Site> of_one_file(std::uint64_t bytes);

  // The regular files below a directory, each opened now; symbolic links, devices and what cannot be read are
  // left out. "/" and "/x/" are their index.html. ExitCode::usage when it is no directory, holds no file, or
  // more than there can be descriptors; a file that shrinks while it is served breaks off its response.
  [[nodiscard]] static Result<Site> of(const std::filesystem::path& directory);

  Site(Site&& other) noexcept;
  Site& operator=(Site&&) = delete;
  ~Site();

  [[nodiscard]] const Content* find(std::string_view path) const {
    const auto found = contents_.find(path);
    return found == contents_.end() ? nullptr : &found->second;
  }
  [[nodiscard]] std::size_t files() const { return files_; }
  [[nodiscard]] std::uint64_t bytes() const { return bytes_; }
  // Open files that it holds: one for all that is in memory, one for each of a directory's.
  [[nodiscard]] std::size_t descriptors() const { return descriptors_.size(); }

 private:
  struct Hash : std::hash<std::string_view> {
    using is_transparent = void;
  };

  Site() = default;
  Result<> map_memory(std::uint64_t bytes);
  void add(const std::string& path, int fd, std::uint64_t offset, std::uint64_t size, const char* memory);
  Result<> add_directory(int fd, const std::string& path, int depth);

  std::vector<Descriptor> descriptors_;
  void* map_ = nullptr;
  std::size_t map_size_ = 0;
  std::unordered_map<std::string, Content, Hash, std::equal_to<>> contents_;
  std::size_t files_ = 0;
  std::uint64_t bytes_ = 0;
};

}  // namespace vtax::http
