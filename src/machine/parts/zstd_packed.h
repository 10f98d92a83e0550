#pragma once

#include <cstdint>
#include <vector>

#include "core/bytes.h"

namespace vtax::lab {

// By zstd, quickly: for what a kernel unpacks once. Empty where there is no memory for it.
[[nodiscard]] std::vector<std::uint8_t> zstd_packed(ByteView bytes);

}  // namespace vtax::lab
