#include "machine/parts/zstd_packed.h"

#include <zstd.h>

namespace vtax::lab {

Result<std::vector<std::uint8_t>> zstd_packed(ByteView bytes) {
  constexpr int kLevel = 3;  // its own default
  std::vector<std::uint8_t> out(::ZSTD_compressBound(bytes.size()));
  const std::size_t size = ::ZSTD_compress(out.data(), out.size(), bytes.data(), bytes.size(), kLevel);
  if (::ZSTD_isError(size) != 0)
    return fail({"cannot pack by zstd", ::ZSTD_getErrorName(size), "", ExitCode::unavailable});
  out.resize(size);
  out.shrink_to_fit();
  return out;
}

}  // namespace vtax::lab
