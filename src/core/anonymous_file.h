#pragma once

#include "core/bytes.h"
#include "core/descriptor.h"
#include "core/result.h"

namespace vtax {

// A file in memory, closed on exec, positioned at its begin; `name` is for those who look at /proc. Error:
// io.
[[nodiscard]] Result<Descriptor> anonymous_file(const char* name, ByteView content);

}  // namespace vtax
