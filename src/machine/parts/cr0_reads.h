#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"

namespace vtax::lab {

// QEMU since 9.1 takes every read of a control register for one of CR0 when it looks whether a hypervisor
// intercepts it (target/i386/tcg/decode-new.c.inc adds the register's number to an intercept whose base,
// CR0's, is 0). A guest's first page fault reads CR2, exits to a hypervisor that intercepts CR0 reads, and
// gets a stale value: PVH guests of Xen stop at once. With the bit for CR0 reads off in Xen's constant
// nothing is intercepted, and with nested paging nothing needs to be. docs/design/lab-image.md, "PVH guests".
inline constexpr std::string_view kCr0ReadsChange =
    "xen: intercepts no reads of CR0 (one bit of the image), for QEMU's sake";

// Changes that bit in a Xen image. Error: the constant is not there exactly once.
[[nodiscard]] Result<> leave_cr0_reads_to_guests(std::vector<std::uint8_t>& xen, const std::string& name);

}  // namespace vtax::lab
