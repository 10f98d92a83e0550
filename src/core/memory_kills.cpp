#include "core/memory_kills.h"

#include <array>
#include <charconv>
#include <string>
#include <string_view>
#include <utility>

#include "core/files.h"

namespace vtax {
namespace {

// The number behind `key` in lines of "key number".
std::optional<std::uint64_t> number_behind(std::string_view text, std::string_view key) {
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    const std::string_view line = text.substr(at, end - at);
    at = end + 1;
    if (!line.starts_with(key) || line.size() <= key.size() || line[key.size()] != ' ') continue;
    std::uint64_t number = 0;
    const std::string_view digits = line.substr(key.size() + 1);
    if (std::from_chars(digits.data(), digits.data() + digits.size(), number).ec == std::errc())
      return number;
  }
  return std::nullopt;
}

// The path of the group in /proc/self/cgroup (cgroups(7)): lines of "number:controllers:path".
std::string group_of(std::string_view table, std::string_view controller) {
  for (std::size_t at = 0; at < table.size();) {
    const std::size_t end = std::min(table.find('\n', at), table.size());
    const std::string_view line = table.substr(at, end - at);
    at = end + 1;
    const std::size_t first = line.find(':'), second = line.find(':', first + 1);
    if (second == std::string_view::npos) continue;
    if (line.substr(first + 1, second - first - 1) == controller) return std::string(line.substr(second + 1));
  }
  return "";
}

}  // namespace

std::optional<std::uint64_t> memory_kills() {
  const std::string table = read_text("/proc/self/cgroup").value_or("");  // a kernel may have no groups
  // Version 2 counts the group with those below it; version 1 has a file of another name. A guest has
  // neither.
  const std::string unified = group_of(table, ""), memory = group_of(table, "memory");
  for (const std::string& file :
       {"/sys/fs/cgroup" + unified + "/memory.events",
        "/sys/fs/cgroup/memory" + memory + "/memory.oom_control",
        std::string("/sys/fs/cgroup/memory/memory.oom_control"), std::string("/proc/vmstat")})
    if (const auto text = read_text(file))
      if (const auto kills = number_behind(*text, "oom_kill")) return kills;
  return std::nullopt;
}

std::string want_of_memory_since(std::optional<std::uint64_t> before, std::string_view why) {
  const auto now = memory_kills();
  if (!now || !before || *now <= *before) return "";
  return "; the kernel has killed for want of memory meanwhile: " + std::string(why);
}

}  // namespace vtax
