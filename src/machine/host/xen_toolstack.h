#pragma once

#include <chrono>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"

namespace vtax::host {

// The programs of this Domain-0 that are needed.
struct XenToolstack {
  std::filesystem::path xl;       // that fits the running Xen
  std::filesystem::path nothing;  // "true"
  // Its folder of logs, and its settings.
  std::filesystem::path logs = "/var/log/xen", settings = "/etc/xen/xl.conf";
};
// From PATH, or where distributions have them. Error: unavailable, with the package that has it.
[[nodiscard]] Result<XenToolstack> find_xen_toolstack();

// Of `xl info`.
struct XenFacts {
  std::string version;         // "4.17.4"
  std::uint64_t free_mib = 0;  // that no domain has
  int cpus = 0;
  bool has_hvm = false;  // by the CPU's virtualisation
};
[[nodiscard]] std::optional<XenFacts> parse_xl_info(std::string_view text);

// What `xl info` says, and whether xenstored answers `xl`. Each has 10 s. Error: unavailable.
[[nodiscard]] Result<XenFacts> ask_xen(const XenToolstack& toolstack);

// Runs `xl` to its end; it goes on if this process ends, as do the programs that it leaves in the background.
// What it printed. Error: it failed, with its last words, or was not over after `limit`, and was then killed.
[[nodiscard]] Result<std::string> run_xl(const XenToolstack& toolstack,
                                         const std::vector<std::string>& arguments,
                                         std::chrono::seconds limit);

}  // namespace vtax::host
