#include "machine/parts/lock_reach.h"

#include <sys/vfs.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <climits>
#include <cstdint>

#include "core/files.h"

namespace vtax::lab {
namespace {

namespace fs = std::filesystem;

constexpr std::chrono::hours kAbandonedAfter{24};

// statfs(2) and the file systems' own headers.
constexpr std::array<std::uint32_t, 13> kSharedKinds{
    0x6969,      // NFS
    0x517B,      // SMB
    0xFE534D42,  // SMB 2
    0xFF534D42,  // CIFS
    0x65735546,  // FUSE: sshfs, GlusterFS, object stores
    0x00C36400,  // Ceph
    0x0BD00BD0,  // Lustre
    0x47504653,  // GPFS
    0x19830326,  // BeeGFS
    0x5346414F,  // AFS
    0x01021997,  // 9P
    0x01161970,  // GFS 2
    0x7461636F,  // OCFS 2
};

}  // namespace

std::string node_name() {
  std::array<char, HOST_NAME_MAX + 1> host{};
  if (::gethostname(host.data(), host.size() - 1) != 0) host = {'?'};
  std::string name = host.data();
  std::replace_if(
      name.begin(), name.end(), [](char c) { return c == '/' || c == '@'; }, '_');
  constexpr std::size_t kDigits = 8;
  return name + "-" + read_text("/proc/sys/kernel/random/boot_id").value_or("").substr(0, kDigits);
}

std::string with_node(const std::string& name) {
  return name + "@" + node_name();
}

bool is_abandoned(const fs::path& work) {
  const std::string name = work.filename().string();
  const auto at = name.rfind('@');
  if (at == std::string::npos || name.compare(at + 1, node_name().size(), node_name()) == 0) return true;
  std::error_code error;
  const auto touched = fs::last_write_time(work, error);
  return !error && fs::file_time_type::clock::now() - touched > kAbandonedAfter;
}

bool may_be_shared(const fs::path& folder) {
  struct statfs status {};
  if (::statfs(folder.c_str(), &status) != 0) return false;
  const auto kind = static_cast<std::uint32_t>(status.f_type);
  return std::find(kSharedKinds.begin(), kSharedKinds.end(), kind) != kSharedKinds.end();
}

}  // namespace vtax::lab
