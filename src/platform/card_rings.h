#pragma once

#include <string>

#include "core/result.h"

namespace vtax {

// Gives a card of the caller's network namespace rings as deep as it can have, through the ethtool ioctl:
// with the usual 256 descriptors a CPU that is busy for a while loses packets, and what a stream costs is
// then decided by how it recovers. A device without rings stays as it is.
[[nodiscard]] Result<> deepen_rings(const std::string& device);

}  // namespace vtax
