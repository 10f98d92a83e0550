#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/bytes.h"
#include "core/result.h"

namespace vtax::lab {

enum class Compression { none, gzip, xz, zstd, lzma, bzip2, lz4, unsupported };

// By the first bytes; of what kernels are packed with vtax does not read lzo, which is `unsupported`.
[[nodiscard]] Compression compression_of(ByteView bytes);

// The content of the first compressed stream; bytes behind it are ignored, as a bzImage has some. Plain
// bytes come back as they are. No more than `limit` bytes are made. `what` begins the error.
[[nodiscard]] Result<std::vector<std::uint8_t>> decompress(ByteView bytes, const std::string& what,
                                                           std::size_t limit = std::size_t{512} << 20);

}  // namespace vtax::lab
