#include "meter/group_books.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>

namespace vtax::meter {
namespace {

// mountinfo writes blanks in paths as \040 and the like.
std::string unescaped(std::string_view text) {
  std::string out;
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (text[at] == '\\' && at + 3 < text.size()) {
      int value = 0;
      const auto [end, error] = std::from_chars(text.data() + at + 1, text.data() + at + 4, value, 8);
      if (error == std::errc() && end == text.data() + at + 4) {
        out += static_cast<char>(value);
        at += 3;
        continue;
      }
    }
    out += text[at];
  }
  return out;
}

template <class Use>
void each_line(std::string_view text, const Use& use) {
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    use(line);
  }
}

// Lines "8:0 Read 12": the sum of each direction.
bool add_directions(std::string_view text, std::uint64_t& reads, std::uint64_t& writes) {
  bool good = false;
  each_line(text, [&](std::string_view line) {
    Words words(line);
    words.skip(1);
    const std::string_view direction = words.next();
    const auto value = whole_number<std::uint64_t>(words.next());
    if (!value) return;
    if (direction == "Read") reads += *value;
    if (direction == "Write") writes += *value;
    good = good || direction == "Read" || direction == "Write";
  });
  return good;
}

std::optional<std::uint64_t> number_in(const HeldFile& file, std::string& buffer) {
  const auto text = file.read(buffer);
  return text ? whole_number<std::uint64_t>(Words(*text).next()) : std::nullopt;
}

}  // namespace

GroupMounts parse_group_mounts(std::string_view mountinfo) {
  GroupMounts mounts;
  each_line(mountinfo, [&](std::string_view line) {
    const std::size_t dash = line.find(" - ");
    if (dash == std::string_view::npos) return;
    Words before(line), after(line.substr(dash + 3));
    before.skip(4);
    const std::string point = unescaped(before.next());
    const std::string_view type = after.next();
    after.skip(1);
    const std::string_view options = after.next();
    if (type == "cgroup2") mounts.emplace("", point);
    if (type != "cgroup") return;
    Words names(options, ",");
    for (std::string_view name = names.next(); !name.empty(); name = names.next())
      mounts.emplace(name, point);
  });
  return mounts;
}

GroupMounts read_group_mounts() {
  std::string buffer;
  const auto text = read_once(AT_FDCWD, "/proc/self/mountinfo", buffer);
  return text ? parse_group_mounts(*text) : GroupMounts{};
}

std::optional<BlockCounters> parse_io_stat(std::string_view text) {
  BlockCounters sum;
  bool good = false;
  each_line(text, [&](std::string_view line) {
    Words words(line);
    words.skip(1);
    for (std::string_view word = words.next(); !word.empty(); word = words.next()) {
      const std::size_t equals = word.find('=');
      if (equals == std::string_view::npos) continue;
      const auto value = whole_number<std::uint64_t>(word.substr(equals + 1));
      if (!value) continue;
      const std::string_view key = word.substr(0, equals);
      if (key == "rios") sum.reads += *value;
      if (key == "wios") sum.writes += *value;
      if (key == "rbytes") sum.read_bytes += *value;
      if (key == "wbytes") sum.written_bytes += *value;
      good = true;
    }
  });
  return good ? std::optional(sum) : std::nullopt;
}

std::optional<BlockCounters> parse_blkio(std::string_view serviced, std::string_view bytes) {
  BlockCounters sum;
  const bool good = add_directions(serviced, sum.reads, sum.writes) &&
                    add_directions(bytes, sum.read_bytes, sum.written_bytes);
  return good ? std::optional(sum) : std::nullopt;
}

GroupBooks::GroupBooks(const GroupMounts& mounts, const std::map<std::string, std::string>& paths) {
  const auto folder_of = [&](const char* controller) -> std::string {
    const auto mount = mounts.find(controller);
    const auto path = paths.find(controller);
    return mount == mounts.end() || path == paths.end() ? "" : mount->second + path->second;
  };
  const auto open_in = [&](const std::string& folder, const char* name) {
    if (folder.empty()) return HeldFile();
    if (folder_.empty()) folder_ = folder;
    return HeldFile(AT_FDCWD, (folder + "/" + name).c_str());
  };
  const std::string one = folder_of(""), cpu = folder_of("cpuacct"), memory = folder_of("memory"),
                    blocks = folder_of("blkio"), freezer = folder_of("freezer");
  usage_ = open_in(cpu, "cpuacct.usage");
  stat_ = open_in(one, "cpu.stat");
  used_ = open_in(memory, "memory.usage_in_bytes");
  if (!used_.valid()) used_ = open_in(one, "memory.current");
  most_ = open_in(memory, "memory.limit_in_bytes");
  if (!most_.valid()) most_ = open_in(one, "memory.max");
  io_ = open_in(one, "io.stat");
  serviced_ = open_in(blocks, "blkio.throttle.io_serviced");
  service_bytes_ = open_in(blocks, "blkio.throttle.io_service_bytes");
  events_ = open_in(one, "cgroup.events");
  freezer_ = open_in(freezer, "freezer.state");
}

std::optional<GroupReading> GroupBooks::read() {
  if (folder_.empty() || access(folder_.c_str(), F_OK) != 0) return std::nullopt;
  GroupReading reading;
  reading.busy_ns = number_in(usage_, buffer_);
  if (!reading.busy_ns)
    if (const auto text = stat_.read(buffer_))
      if (const auto us = value_of(*text, "usage_usec")) reading.busy_ns = *us * 1000;
  reading.used_bytes = number_in(used_, buffer_);
  // "max", and in version 1 a number that no memory reaches: no limit.
  reading.most_bytes = number_in(most_, buffer_);
  if (reading.most_bytes && *reading.most_bytes >= std::uint64_t{1} << 60) reading.most_bytes.reset();
  if (const auto text = io_.read(buffer_)) reading.blocks = parse_io_stat(*text);
  if (!reading.blocks) {
    const auto serviced = serviced_.read(buffer_), bytes = service_bytes_.read(second_);
    if (serviced && bytes) reading.blocks = parse_blkio(*serviced, *bytes);
  }
  if (const auto text = events_.read(buffer_))
    if (const auto frozen = value_of(*text, "frozen")) reading.frozen = *frozen != 0;
  if (const auto text = freezer_.read(buffer_)) reading.frozen = text->starts_with("FROZEN");
  return reading;
}

}  // namespace vtax::meter
