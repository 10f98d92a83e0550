#include "machine/parts/cache_limits.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>

#include "machine/parts/in_use.h"

namespace vtax::lab {

namespace fs = std::filesystem;

std::vector<fs::path> longest_unused(std::vector<CachedPart> parts, std::uint64_t kept_bytes) {
  std::sort(parts.begin(), parts.end(), [](const CachedPart& a, const CachedPart& b) {
    return a.last_used != b.last_used ? a.last_used > b.last_used : a.path < b.path;
  });
  std::vector<fs::path> out;
  std::uint64_t bytes = 0;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    bytes += parts[i].size_bytes;
    if (i > 0 && bytes > kept_bytes) out.push_back(parts[i].path);
  }
  return out;
}

void limit_images(const fs::path& images, std::uint64_t kept_bytes) {
  remove_leftovers(images);
  std::vector<CachedPart> parts;
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(images, ignored))
    if (entry.is_directory(ignored))
      parts.push_back({entry.path(), bytes_below(entry.path()), last_used(entry.path())});
  for (const fs::path& folder : longest_unused(std::move(parts), kept_bytes)) remove_unless_used(folder);
}

std::string cache_limits_text() {
  return fmt::format("at most {:.1f} GB of images and {:.1f} GB of booted machines",
                     static_cast<double>(kKeptImageBytes) / 1e9,
                     static_cast<double>(kKeptMachineBytes) / 1e9);
}

std::uint64_t bytes_below(const fs::path& folder) {
  std::uint64_t total = 0;
  std::error_code ignored;
  for (auto entry = fs::recursive_directory_iterator(folder, ignored); entry != fs::end(entry);
       entry.increment(ignored)) {
    struct stat file {};
    constexpr std::uint64_t kBlock = 512;  // stat(2): of st_blocks, whatever the file system's are
    if (::lstat(entry->path().c_str(), &file) == 0 && S_ISREG(file.st_mode))
      total += static_cast<std::uint64_t>(file.st_blocks) * kBlock;
  }
  return total;
}

}  // namespace vtax::lab
