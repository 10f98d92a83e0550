#pragma once

#include <string>

#include "core/result.h"

namespace vtax {

// The caller's network namespace sends nothing of its own accord from now on (IPv6 off), and an idle
// connection keeps its congestion window, so that a warm-up counts.
[[nodiscard]] Result<> quieten_namespace();

}  // namespace vtax
