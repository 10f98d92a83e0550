#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "core/result.h"

// The static files that a web server is measured with: SPECweb99's, as many as the dissertation had
// (docs/design/http.md). 61 directories of 36 files: four classes, tenths of a KB, KB, tens and hundreds of
// KB, nine files in each. A KB is 1024 bytes.
namespace vtax::http {

inline constexpr std::uint32_t kDirectories = 61;
inline constexpr std::uint32_t kClasses = 4;
inline constexpr std::uint32_t kFilesInClass = 9;
inline constexpr std::uint32_t kFilesInDirectory = kClasses * kFilesInClass;

enum class Sizes {
  // All figures of the dissertation's table 5.1, its median of 20 KB too: in the class of tens of KB the file
  // of 10 KB has 20 and the one of 90 KB has 80.
  table,
  // SPECweb99's own: 10, 20, ... 90 KB. The median is then 10 KB; the other figures are the same.
  specweb99,
};

struct File {
  std::string path;  // "/dir00007/class2_3"
  std::uint64_t size = 0;
  double popularity = 0;  // its share of the requests; those of all files add up to 1
};

// What the table says of a set.
struct Figures {
  std::uint64_t files = 0, bytes = 0, smallest = 0, largest = 0;  // bytes
  double mean = 0, variation = 0;                                 // bytes; standard deviation / mean
  // The smallest size that more than a quarter, a half, three quarters of the files do not exceed.
  std::uint64_t first_quartile = 0, median = 0, third_quartile = 0;
  double requested_mean = 0;  // bytes of one request, by popularity
};

class FileSet {
 public:
  // The same seed gives the same bytes. It decides which directory has which place in the popularity, and
  // what is in the files. Fewer directories than all leave the sizes' shares as they are.
  explicit FileSet(std::uint64_t seed, Sizes sizes = Sizes::table,
                   std::uint32_t directories_held = kDirectories);

  [[nodiscard]] const std::vector<File>& files() const { return files_; }
  [[nodiscard]] Figures figures() const;
  [[nodiscard]] std::uint64_t seed() const { return seed_; }

  // Puts the content of file `index` into `into`, which has its size.
  void fill(std::size_t index, std::span<std::byte> into) const;

  // Into `directory`, which is made or must be empty. ExitCode::io when the disk does not take it; what was
  // written by then is left.
  [[nodiscard]] Result<> write(const std::filesystem::path& directory) const;

 private:
  std::uint64_t seed_;
  std::vector<File> files_;
};

}  // namespace vtax::http
