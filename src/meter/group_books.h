#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "meter/kernel_text.h"

namespace vtax::meter {

// Where each hierarchy of control groups is mounted: by controller ("cpuacct", "memory", ...; "" is version
// 2).
using GroupMounts = std::map<std::string, std::string>;
[[nodiscard]] GroupMounts parse_group_mounts(std::string_view mountinfo);
[[nodiscard]] GroupMounts read_group_mounts();

struct BlockCounters {
  std::uint64_t reads = 0, writes = 0, read_bytes = 0, written_bytes = 0;
};

// What a group's files say, of it and all below it.
struct GroupReading {
  std::optional<std::uint64_t> busy_ns;
  std::optional<std::uint64_t> used_bytes, most_bytes;
  std::optional<BlockCounters> blocks;
  bool frozen = false;
};

[[nodiscard]] std::optional<BlockCounters> parse_io_stat(std::string_view text);  // version 2
// Version 1: blkio.throttle.io_serviced and .io_service_bytes.
[[nodiscard]] std::optional<BlockCounters> parse_blkio(std::string_view serviced, std::string_view bytes);

// One control group, named by its path in each hierarchy that has it; its files stay open.
class GroupBooks {
 public:
  // `paths`: by controller, as GroupMounts.
  GroupBooks(const GroupMounts& mounts, const std::map<std::string, std::string>& paths);
  // Nothing when the group is gone.
  [[nodiscard]] std::optional<GroupReading> read();

 private:
  std::string folder_;  // to see that it is there
  HeldFile usage_, stat_, used_, most_, io_, serviced_, service_bytes_, events_, freezer_;
  std::string buffer_, second_;
};

}  // namespace vtax::meter
