#pragma once

#include <string>

#include "core/result.h"

namespace vtax::agent {

// Gives the guest of a running QEMU the block device `device` as a virtio-blk disk, over QEMU's control
// socket (QMP): past the host's page cache, by native asynchronous I/O. What QEMU says is bounded and parsed.
[[nodiscard]] Result<> plug_disk(const std::string& control_socket, const std::string& device);

}  // namespace vtax::agent
