#pragma once

#include <cstdint>
#include <vector>

#include "core/bytes.h"
#include "core/result.h"

namespace vtax::lab {

// By zstd, quickly: for what a kernel unpacks once.
[[nodiscard]] Result<std::vector<std::uint8_t>> zstd_packed(ByteView bytes);

}  // namespace vtax::lab
