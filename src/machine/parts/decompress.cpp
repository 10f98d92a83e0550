#include "machine/parts/decompress.h"

#include <bzlib.h>
#include <lzma.h>
#include <zlib.h>
#include <zstd.h>

#include <algorithm>
#include <memory>
#include <string_view>

#include "machine/parts/lz4_legacy.h"

namespace vtax::lab {
namespace {

using namespace std::string_view_literals;

// What a decoder made of its input so far.
enum class Step { more, done, damaged };

struct Buffer {
  std::vector<std::uint8_t> bytes;
  std::size_t used = 0;

  // Room for the next step; false when the limit is reached.
  bool grow(std::size_t limit) {
    if (used < bytes.size()) return true;
    if (used >= limit) return false;
    bytes.resize(std::min(limit, std::max<std::size_t>(bytes.size() * 2, std::size_t{4} << 20)));
    return true;
  }
};

class Gzip {
 public:
  explicit Gzip(ByteView in) {
    stream_.next_in = const_cast<Bytef*>(in.data());
    stream_.avail_in = static_cast<uInt>(in.size());
    ready_ = ::inflateInit2(&stream_, 16 + MAX_WBITS) == Z_OK;
  }
  Gzip(const Gzip&) = delete;
  Gzip& operator=(const Gzip&) = delete;
  ~Gzip() {
    if (ready_) ::inflateEnd(&stream_);
  }
  Step step(Buffer& out) {
    stream_.next_out = out.bytes.data() + out.used;
    stream_.avail_out = static_cast<uInt>(out.bytes.size() - out.used);
    const int result = ready_ ? ::inflate(&stream_, Z_NO_FLUSH) : Z_MEM_ERROR;
    out.used = out.bytes.size() - stream_.avail_out;
    if (result == Z_STREAM_END) return Step::done;
    return result == Z_OK ? Step::more : Step::damaged;
  }

 private:
  z_stream stream_{};
  bool ready_ = false;
};

class Xz {
 public:
  // Also the older form, LZMA alone.
  explicit Xz(ByteView in) {
    stream_.next_in = in.data();
    stream_.avail_in = in.size();
    ready_ = ::lzma_auto_decoder(&stream_, std::uint64_t{512} << 20, 0) == LZMA_OK;
  }
  Xz(const Xz&) = delete;
  Xz& operator=(const Xz&) = delete;
  ~Xz() { ::lzma_end(&stream_); }
  Step step(Buffer& out) {
    stream_.next_out = out.bytes.data() + out.used;
    stream_.avail_out = out.bytes.size() - out.used;
    const lzma_ret result = ready_ ? ::lzma_code(&stream_, LZMA_RUN) : LZMA_MEM_ERROR;
    out.used = out.bytes.size() - stream_.avail_out;
    if (result == LZMA_STREAM_END) return Step::done;
    // Without input left it would ask for more for ever.
    return result == LZMA_OK && (stream_.avail_in > 0 || stream_.avail_out == 0) ? Step::more : Step::damaged;
  }

 private:
  lzma_stream stream_ = LZMA_STREAM_INIT;
  bool ready_ = false;
};

class Bzip2 {
 public:
  explicit Bzip2(ByteView in) {
    stream_.next_in = const_cast<char*>(reinterpret_cast<const char*>(in.data()));
    stream_.avail_in = static_cast<unsigned>(in.size());
    ready_ = ::BZ2_bzDecompressInit(&stream_, 0, 0) == BZ_OK;
  }
  Bzip2(const Bzip2&) = delete;
  Bzip2& operator=(const Bzip2&) = delete;
  ~Bzip2() {
    if (ready_) ::BZ2_bzDecompressEnd(&stream_);
  }
  Step step(Buffer& out) {
    stream_.next_out = reinterpret_cast<char*>(out.bytes.data() + out.used);
    stream_.avail_out = static_cast<unsigned>(out.bytes.size() - out.used);
    const int result = ready_ ? ::BZ2_bzDecompress(&stream_) : BZ_MEM_ERROR;
    out.used = out.bytes.size() - stream_.avail_out;
    if (result == BZ_STREAM_END) return Step::done;
    // Without input left it would ask for more for ever.
    return result == BZ_OK && (stream_.avail_in > 0 || stream_.avail_out == 0) ? Step::more : Step::damaged;
  }

 private:
  bz_stream stream_{};
  bool ready_ = false;
};

class Zstd {
 public:
  explicit Zstd(ByteView in) : in_{in.data(), in.size(), 0}, context_(::ZSTD_createDCtx(), ::ZSTD_freeDCtx) {
    // Kernels are packed with windows up to 128 MiB.
    ::ZSTD_DCtx_setParameter(context_.get(), ZSTD_d_windowLogMax, 27);
  }
  Step step(Buffer& out) {
    ZSTD_outBuffer space{out.bytes.data(), out.bytes.size(), out.used};
    const std::size_t result = ::ZSTD_decompressStream(context_.get(), &space, &in_);
    out.used = space.pos;
    if (::ZSTD_isError(result) != 0) return Step::damaged;
    if (result == 0) return Step::done;
    return in_.pos < in_.size || space.pos == space.size ? Step::more : Step::damaged;
  }

 private:
  ZSTD_inBuffer in_;
  std::unique_ptr<ZSTD_DCtx, std::size_t (*)(ZSTD_DCtx*)> context_;
};

template <class Decoder>
Result<std::vector<std::uint8_t>> decode(ByteView in, const std::string& what, std::size_t limit) {
  Decoder decoder(in);
  Buffer out;
  while (out.grow(limit)) {
    const Step step = decoder.step(out);
    if (step == Step::damaged) return fail({what, "its compressed data is damaged or truncated", ""});
    if (step == Step::done) {
      out.bytes.resize(out.used);
      return std::move(out.bytes);
    }
  }
  return fail({what, "it holds more than " + std::to_string(limit >> 20) + " MiB", ""});
}

}  // namespace

Compression compression_of(ByteView bytes) {
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  if (text.starts_with("\x1f\x8b"sv)) return Compression::gzip;
  if (text.starts_with("\xfd"
                       "7zXZ\0"sv))
    return Compression::xz;
  if (text.starts_with("\x28\xb5\x2f\xfd"sv)) return Compression::zstd;
  if (text.starts_with("\x5d\0\0"sv)) return Compression::lzma;
  if (text.starts_with("BZh"sv)) return Compression::bzip2;
  if (text.starts_with("\x02\x21\x4c\x18"sv)) return Compression::lz4;
  for (const std::string_view magic : {"\x89LZO"sv, "\x04\x22\x4d\x18"sv})
    if (text.starts_with(magic)) return Compression::unsupported;
  return Compression::none;
}

Result<std::vector<std::uint8_t>> decompress(ByteView bytes, const std::string& what, std::size_t limit) {
  switch (compression_of(bytes)) {
    case Compression::gzip:
      return decode<Gzip>(bytes, what, limit);
    case Compression::xz:
    case Compression::lzma:
      return decode<Xz>(bytes, what, limit);
    case Compression::zstd:
      return decode<Zstd>(bytes, what, limit);
    case Compression::bzip2:
      return decode<Bzip2>(bytes, what, limit);
    case Compression::lz4:
      return unpack_lz4_legacy(bytes, what, limit);
    case Compression::unsupported:
      return fail({what,
                   "it is compressed by a method other than gzip, xz, zstd, lz4 (`lz4 -l`), lzma or bzip2",
                   "build it with one of these"});
    case Compression::none:
      break;
  }
  return std::vector<std::uint8_t>(bytes.begin(), bytes.end());
}

}  // namespace vtax::lab
