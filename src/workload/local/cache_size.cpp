#include "workload/local/cache_size.h"

#include <charconv>
#include <map>
#include <string>

#include "core/files.h"

namespace vtax {
namespace {

std::string sysfs_line(const std::filesystem::path& file) {
  const auto text = read_text(file, 4096);
  return text ? text->substr(0, text->find('\n')) : "";
}

// "32768K".
std::uint64_t sysfs_size(const std::string& text) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || value > (std::uint64_t{1} << 40)) return 0;
  const std::string_view unit(end, static_cast<std::size_t>(text.data() + text.size() - end));
  return unit == "K" ? value << 10 : unit == "M" ? value << 20 : value;
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
