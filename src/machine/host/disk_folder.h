#pragma once

#include <filesystem>
#include <string>

namespace vtax::host {

// Where a host's disk is, for factor store = tmpdir: $TMPDIR, or /var/tmp, which distributions keep on a disk
// where /tmp may be memory.
[[nodiscard]] std::filesystem::path disk_folder();

// "ext4", "tmpfs", "overlay", or the kernel's number of what is not known by name; "" where it cannot be
// told.
[[nodiscard]] std::string file_system_of(const std::filesystem::path& folder);

// What a user should hear before a disk is measured there: that it is memory, or a container's layer; "" for
// nothing.
[[nodiscard]] std::string doubt_of_disk(const std::filesystem::path& folder);

}  // namespace vtax::host
