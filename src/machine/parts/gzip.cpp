#include "machine/parts/gzip.h"

#include <zlib.h>

namespace vtax::lab {

std::vector<std::uint8_t> gzip(ByteView bytes) {
  constexpr int kWithGzipHeader = 16 + MAX_WBITS, kUsualMemory = 8;
  z_stream stream{};
  if (::deflateInit2(&stream, Z_BEST_COMPRESSION, Z_DEFLATED, kWithGzipHeader, kUsualMemory,
                     Z_DEFAULT_STRATEGY) != Z_OK)
    return {};
  std::vector<std::uint8_t> out(::deflateBound(&stream, bytes.size()));
  stream.next_in = const_cast<Bytef*>(bytes.data());
  stream.avail_in = static_cast<uInt>(bytes.size());
  stream.next_out = out.data();
  stream.avail_out = static_cast<uInt>(out.size());
  const bool done = ::deflate(&stream, Z_FINISH) == Z_STREAM_END;
  out.resize(done ? stream.total_out : 0);
  ::deflateEnd(&stream);
  return out;
}

}  // namespace vtax::lab
