#pragma once

#include <chrono>

#include "core/result.h"

namespace vtax::agent {

// From now on Xen ends this guest when the time is over, whatever it does or has become (Xen's watchdog for a
// domain, by the kernel's xen_wdt). Not undone. Error: the kernel has no such watchdog.
[[nodiscard]] Result<> limit_lifetime(std::chrono::seconds limit);

}  // namespace vtax::agent
