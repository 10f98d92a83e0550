#pragma once

#include <cstdint>
#include <vector>

#include "core/bytes.h"
#include "core/result.h"

namespace vtax::lab {

// What `lz4 -l` writes, and the only form of LZ4 that Linux kernels are packed in (lib/decompress_unlz4.c):
// the magic number 0x184c2102, then blocks, each with its packed size (u32) before it and 8 MiB unpacked, the
// last one less. Nothing ends it; a bzImage has the unpacked size (u32) behind it. Errors begin with `what`:
// damaged data, or more than `limit` bytes of it.
[[nodiscard]] Result<std::vector<std::uint8_t>> unpack_lz4_legacy(ByteView packed, const std::string& what,
                                                                  std::size_t limit);

}  // namespace vtax::lab
