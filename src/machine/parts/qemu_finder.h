#pragma once

#include <compare>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "machine/parts/package_cache.h"

namespace vtax::lab {

struct QemuVersion {
  int major = 0;
  int minor = 0;
  auto operator<=>(const QemuVersion&) const = default;
  [[nodiscard]] std::string text() const { return std::to_string(major) + "." + std::to_string(minor); }
};

// The oldest that counts right: QEMU 7.2 has one icount budget for all CPUs of a machine and hangs when the
// second comes up; 8.1 gave each CPU its own. 8.2 is Ubuntu 24.04's.
inline constexpr QemuVersion kOldestQemu = {8, 2};

// A QEMU that can run the lab, and how to start it.
struct Qemu {
  std::filesystem::path binary;
  std::vector<std::string> arguments = {};    // "-L", DIRECTORY...: where its firmware is; before all others
  std::vector<std::string> environment = {};  // "LD_LIBRARY_PATH=...", when its libraries came with it
  QemuVersion version = {};
  // The cache's folder of the package that it was unpacked from, named after the content; empty when it is
  // installed or the user's own. It stays there as long as `in_use` does.
  std::filesystem::path package_folder = {};
  InUse in_use = {};
  std::string banner = {};  // "QEMU emulator version 10.0.2 (Debian 1:10.0.2+ds-2)", for provenance
};

// $VTAX_QEMU if it is set; else the installed qemu-system-x86_64 if it can run the lab; else the one in the
// cache. An error (ExitCode::unavailable) says what was found, what is needed, and the command that gets it.
[[nodiscard]] Result<Qemu> find_qemu(const PackageCache& cache);

// As find_qemu(), but fetches one into the cache if there is none: from the machine's own suite, or from the
// backports of its release where that is too old.
[[nodiscard]] Result<Qemu> fetch_qemu(PackageCache& cache, const TellStep& progress, bool refresh = false);

// Starts `binary -help` and reads what it can do. An error when it does not start, is too old or has no
// plugins.
[[nodiscard]] Result<Qemu> examine_qemu(const std::filesystem::path& binary);

// From "QEMU emulator version 10.0.2 (...)" or a package's "1:10.0.2+ds-2".
[[nodiscard]] std::optional<QemuVersion> parse_qemu_version(std::string_view text);

}  // namespace vtax::lab
