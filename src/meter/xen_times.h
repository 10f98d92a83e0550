#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "core/result.h"

namespace vtax::meter {

// Xen's own count for one virtual CPU: nanoseconds in which it was running, what Xen did for it in its traps
// and hypercalls included. `xl list` and xentop show sums of these.
struct VirtualCpuTime {
  int domain = 0;
  int virtual_cpu = 0;
  std::uint64_t ns = 0;
};

// Every virtual CPU of these domains, in their order; what does not exist is left out. On a Domain-0, by
// the hypercall XEN_DOMCTL_getvcpuinfo (xen/include/public/domctl.h) through /dev/xen/privcmd; changes
// nothing. The layout of that call is the same in all versions of its interface that are known here (6 to 23,
// Xen 4.0 to 4.20); Xen refuses it under any number but its own, which is found by trying, so that no other
// layout is ever misread. Error: unavailable where this is no Domain-0, or its Xen speaks none of them.
[[nodiscard]] Result<std::vector<VirtualCpuTime>> read_xen_times(std::span<const int> domains);

}  // namespace vtax::meter
