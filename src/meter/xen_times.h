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

// Every virtual CPU of these domains, in their order; what does not exist is left out (xen_calls.h). Error:
// unavailable where this is no Domain-0, or its Xen is too new.
[[nodiscard]] Result<std::vector<VirtualCpuTime>> read_xen_times(std::span<const int> domains);

}  // namespace vtax::meter
