#pragma once

#include <string>

#include "core/result.h"

namespace vtax {

// Segmentation offloads (TSO, GSO, GRO) of one device of the caller's network namespace, through the ethtool
// ioctl. A device that cannot do one of them is left without it when switching on; switching off must
// succeed.
[[nodiscard]] Result<> set_segmentation_offloads(const std::string& device, bool on);

}  // namespace vtax
