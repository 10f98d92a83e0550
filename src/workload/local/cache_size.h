#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>

namespace vtax {

// Bytes of all last-level caches together, each counted once however many CPUs share it, from sysfs; nothing
// where it does not tell (some virtual machines).
[[nodiscard]] std::optional<std::uint64_t> last_level_cache(
    const std::filesystem::path& cpus = "/sys/devices/system/cpu");

}  // namespace vtax
