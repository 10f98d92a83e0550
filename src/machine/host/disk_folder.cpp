#include "machine/host/disk_folder.h"

#include <fmt/format.h>
#include <linux/magic.h>
#include <sys/vfs.h>

#include <array>
#include <cstdlib>
#include <string_view>

#include "core/readable.h"

namespace vtax::host {
namespace {

struct KnownFileSystem {
  std::uint64_t magic;
  std::string_view name;
};

// linux/magic.h has no name for xfs, zfs and bcachefs.
constexpr std::array<KnownFileSystem, 10> kFileSystems{{{EXT4_SUPER_MAGIC, "ext4"},
                                                        {0x58465342, "xfs"},
                                                        {BTRFS_SUPER_MAGIC, "btrfs"},
                                                        {0x2fc12fc1, "zfs"},
                                                        {0xca451a4e, "bcachefs"},
                                                        {F2FS_SUPER_MAGIC, "f2fs"},
                                                        {TMPFS_MAGIC, "tmpfs"},
                                                        {RAMFS_MAGIC, "ramfs"},
                                                        {OVERLAYFS_SUPER_MAGIC, "overlay"},
                                                        {NFS_SUPER_MAGIC, "nfs"}}};

}  // namespace

std::filesystem::path disk_folder() {
  const char* const given = std::getenv("TMPDIR");
  return given != nullptr && *given != '\0' ? given : "/var/tmp";
}

std::string file_system_of(const std::filesystem::path& folder) {
  struct statfs about {};
  if (::statfs(folder.c_str(), &about) != 0) return "";
  const auto magic = static_cast<std::uint64_t>(static_cast<std::uint32_t>(about.f_type));
  for (const KnownFileSystem& one : kFileSystems)
    if (one.magic == magic) return std::string(one.name);
  return fmt::format("{:#x}", magic);
}

std::string doubt_of_disk(const std::filesystem::path& folder) {
  const std::string name = printable(folder.string(), 200), kind = file_system_of(folder);
  if (kind == "tmpfs" || kind == "ramfs")
    return fmt::format("the disk is measured in {}, which is memory ({}): TMPDIR=FOLDER names one on a disk",
                       name, kind);
  if (kind == "overlay")
    return fmt::format(
        "the disk is measured in {}, a container's layer (overlay) above its disk: TMPDIR=FOLDER names a "
        "volume",
        name);
  return "";
}

}  // namespace vtax::host
