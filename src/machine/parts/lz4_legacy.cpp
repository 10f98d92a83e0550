#include "machine/parts/lz4_legacy.h"

#include <lz4.h>

#include <algorithm>
#include <string>

namespace vtax::lab {

Result<std::vector<std::uint8_t>> unpack_lz4_legacy(ByteView packed, const std::string& what,
                                                    std::size_t limit) {
  constexpr std::size_t kBlock = std::size_t{8} << 20;
  const Error damaged{what, "its compressed data is damaged or truncated", ""};
  std::vector<std::uint8_t> out;
  // Behind the magic number; what is shorter than a size and a block is the unpacked size.
  for (std::size_t at = 4; at + 4 < packed.size();) {
    const auto size = load<std::uint32_t>(packed, at);
    at += 4;
    if (size == 0 || size > LZ4_COMPRESSBOUND(kBlock) || !vtax::fits(packed.size(), at, size))
      return fail(damaged);
    const std::size_t before = out.size(), room = std::min(kBlock, limit - before);
    out.resize(before + room);
    const int got = ::LZ4_decompress_safe(reinterpret_cast<const char*>(packed.data() + at),
                                          reinterpret_cast<char*>(out.data() + before),
                                          static_cast<int>(size), static_cast<int>(room));
    if (got < 0 && room < kBlock)
      return fail({what, "it holds more than " + std::to_string(limit >> 20) + " MiB", ""});
    if (got < 0) return fail(damaged);
    out.resize(before + static_cast<std::size_t>(got));
    at += size;
    if (static_cast<std::size_t>(got) < kBlock) break;  // the last one
  }
  if (out.empty()) return fail(damaged);
  return out;
}

}  // namespace vtax::lab
