#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace vtax::lab {

// Each build of vtax, of a kernel and of Xen makes images and booted machines of its own, so those that were
// used longest ago go when a new one is made and all together take more than this. An image takes 74 MB
// (native) or 153 MB (xen-pv), a booted machine 98 or 307 MB, one with five guests and a compiler 1.3 GB:
// what a paper's study boots stays.
inline constexpr std::uint64_t kKeptImageBytes = 1'600'000'000;
inline constexpr std::uint64_t kKeptMachineBytes = 5'000'000'000;

// One image or machine in the cache.
struct CachedPart {
  std::filesystem::path path;
  std::uint64_t size_bytes = 0;
  std::filesystem::file_time_type last_used;
};

// Those that do not fit into `kept_bytes` together with all that were used later. The one used last always
// stays.
[[nodiscard]] std::vector<std::filesystem::path> longest_unused(std::vector<CachedPart> parts,
                                                                std::uint64_t kept_bytes);

// Removes images (folders in `images`) that do not fit and that nobody uses.
void limit_images(const std::filesystem::path& images, std::uint64_t kept_bytes = kKeptImageBytes);

// "at most 1.6 GB of images and 5.0 GB of booted machines".
[[nodiscard]] std::string cache_limits_text();

// What the files below a folder take on the disk; 0 when there is none.
[[nodiscard]] std::uint64_t bytes_below(const std::filesystem::path& folder);

}  // namespace vtax::lab
