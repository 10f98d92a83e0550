#pragma once

#include <cstdint>
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

// Every virtual CPU of domains 0 to `last_domain`, sorted; what does not exist is left out. On a Domain-0, by
// the hypercall XEN_DOMCTL_getvcpuinfo (xen/include/public/domctl.h) through /dev/xen/privcmd; changes
// nothing. The layout of that call is the same in all versions of Xen since 4.0, but for its version number,
// which is found by trying. Error: unavailable where this is no Domain-0.
[[nodiscard]] Result<std::vector<VirtualCpuTime>> read_xen_times(int last_domain);

}  // namespace vtax::meter
