#include "workload/local/cache_size.h"

#include <map>
#include <string>

#include "core/files.h"
#include "core/size_text.h"

namespace vtax {
namespace {

constexpr std::uint64_t kMostBelievable = std::uint64_t{1} << 40;

std::string sysfs_line(const std::filesystem::path& file) {
  const auto text = read_text(file, 4096);
  return text ? text->substr(0, text->find('\n')) : "";
}

// "32768K".
std::uint64_t sysfs_size(const std::string& text) {
  const ParsedSize size = parse_size(text);
  return size.fault == ParsedSize::Fault::none && size.bytes <= kMostBelievable ? size.bytes : 0;
}

}  // namespace

std::optional<std::uint64_t> last_level_cache(const std::filesystem::path& cpus) {
  // By level, then by who shares it.
  std::map<std::string, std::map<std::string, std::uint64_t>> levels;
  for (int cpu = 0; cpu < 4096; ++cpu) {
    const auto folder = cpus / ("cpu" + std::to_string(cpu)) / "cache";
    std::error_code none;
    if (!std::filesystem::exists(folder, none)) {
      if (!std::filesystem::exists(folder.parent_path(), none)) break;
      continue;
    }
    for (int index = 0; index < 10; ++index) {
      const auto cache = folder / ("index" + std::to_string(index));
      const std::string level = sysfs_line(cache / "level");
      if (level.empty()) break;
      if (sysfs_line(cache / "type") == "Instruction") continue;
      levels[level][sysfs_line(cache / "shared_cpu_list")] = sysfs_size(sysfs_line(cache / "size"));
    }
  }
  if (levels.empty()) return std::nullopt;
  std::uint64_t sum = 0;
  for (const auto& [sharers, bytes] : levels.rbegin()->second) sum += bytes;
  return sum == 0 ? std::nullopt : std::optional(sum);
}

}  // namespace vtax
