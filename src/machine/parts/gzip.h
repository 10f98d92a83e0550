#pragma once

#include <cstdint>
#include <vector>

#include "core/bytes.h"

namespace vtax::lab {

// As small as zlib makes it. Empty where there is no memory for it.
[[nodiscard]] std::vector<std::uint8_t> gzip(ByteView bytes);

}  // namespace vtax::lab
