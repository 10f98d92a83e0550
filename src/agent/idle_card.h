#pragma once

#include "core/result.h"

namespace vtax::agent {

// The first page of card B's registers, mapped into this process, after its driver was taken from it. Reading
// its status register (offset 8) is an access to a device's memory without side effects.
[[nodiscard]] Result<void*> map_idle_card();

}  // namespace vtax::agent
