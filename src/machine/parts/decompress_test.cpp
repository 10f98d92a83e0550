#include "machine/parts/decompress.h"

#include <bzlib.h>
#include <gtest/gtest.h>
#include <lz4.h>
#include <lzma.h>
#include <zstd.h>

#include <string>

#include "machine/parts/gzip.h"

namespace vtax::lab {
namespace {

using ByteVector = std::vector<std::uint8_t>;

ByteVector content() {
  ByteVector out(5'000'000);
  for (std::size_t i = 0; i < out.size(); ++i) out[i] = static_cast<std::uint8_t>(i * i >> 7);
  return out;
}

ByteVector xz(const ByteVector& in) {
  ByteVector out(::lzma_stream_buffer_bound(in.size()));
  std::size_t used = 0;
  EXPECT_EQ(::lzma_easy_buffer_encode(0, LZMA_CHECK_CRC32, nullptr, in.data(), in.size(), out.data(), &used,
                                      out.size()),
            LZMA_OK);
  out.resize(used);
  return out;
}

ByteVector zstd(const ByteVector& in) {
  ByteVector out(::ZSTD_compressBound(in.size()));
  out.resize(::ZSTD_compress(out.data(), out.size(), in.data(), in.size(), 1));
  return out;
}

ByteVector lzma_alone(ByteVector in) {
  lzma_options_lzma options;
  lzma_stream stream = LZMA_STREAM_INIT;
  EXPECT_FALSE(::lzma_lzma_preset(&options, 0));
  EXPECT_EQ(::lzma_alone_encoder(&stream, &options), LZMA_OK);
  ByteVector out(::lzma_stream_buffer_bound(in.size()));
  stream.next_in = in.data();
  stream.avail_in = in.size();
  stream.next_out = out.data();
  stream.avail_out = out.size();
  EXPECT_EQ(::lzma_code(&stream, LZMA_FINISH), LZMA_STREAM_END);
  out.resize(stream.total_out);
  ::lzma_end(&stream);
  return out;
}

ByteVector bzip2(ByteVector in) {
  auto used = static_cast<unsigned>(in.size() * 2);
  ByteVector out(used);
  EXPECT_EQ(::BZ2_bzBuffToBuffCompress(reinterpret_cast<char*>(out.data()), &used,
                                       reinterpret_cast<char*>(in.data()), static_cast<unsigned>(in.size()),
                                       1, 0, 0),
            BZ_OK);
  out.resize(used);
  return out;
}

// As `lz4 -l` has it, of one block.
ByteVector lz4_legacy(const ByteVector& in) {
  const int size = static_cast<int>(in.size());
  std::vector<char> packed(static_cast<std::size_t>(::LZ4_compressBound(size)));
  const int used = ::LZ4_compress_default(reinterpret_cast<const char*>(in.data()), packed.data(), size,
                                          static_cast<int>(packed.size()));
  ByteVector out = {0x02, 0x21, 0x4c, 0x18};
  for (int shift = 0; shift < 32; shift += 8) out.push_back(static_cast<std::uint8_t>(used >> shift));
  out.insert(out.end(), packed.begin(), packed.begin() + used);
  return out;
}

struct Format {
  const char* name;
  Compression compression;
  ByteVector packed;
};

std::vector<Format> formats() {
  const ByteVector in = content();
  return {{"gzip", Compression::gzip, gzip(in)},    {"xz", Compression::xz, xz(in)},
          {"zstd", Compression::zstd, zstd(in)},    {"lzma", Compression::lzma, lzma_alone(in)},
          {"bzip2", Compression::bzip2, bzip2(in)}, {"lz4", Compression::lz4, lz4_legacy(in)}};
}

TEST(Decompress, GivesTheContentBack) {
  for (Format& format : formats()) {
    EXPECT_EQ(compression_of(format.packed), format.compression) << format.name;
    EXPECT_EQ(decompress(format.packed, "x").value_or(ByteVector{}), content()) << format.name;
    format.packed.insert(format.packed.end(), {1, 2, 3, 4});
    EXPECT_EQ(decompress(format.packed, "x").value_or(ByteVector{}), content())
        << format.name << " with bytes behind";
  }
  EXPECT_EQ(decompress(ByteVector{1, 2}, "x").value(), (ByteVector{1, 2}));
}

TEST(Decompress, RefusesTruncatedAndDamagedData) {
  for (const Format& format : formats()) {
    for (const std::size_t part : {7UL, format.packed.size() / 2, format.packed.size() - 9})
      EXPECT_FALSE(decompress(ByteView(format.packed).first(part), "x")) << format.name << " " << part;
    ByteVector damaged = format.packed;
    for (std::size_t i = 12; i < damaged.size(); i += 50) damaged[i] ^= 0xff;
    EXPECT_FALSE(decompress(damaged, "x")) << format.name;
  }
}

TEST(Decompress, StopsAtTheLimit) {
  for (const Format& format : formats()) {
    const auto out = decompress(format.packed, "cannot read x", 4'999'999);
    ASSERT_FALSE(out) << format.name;
    EXPECT_NE(out.error().why.find("more than 4 MiB"), std::string::npos);
    EXPECT_TRUE(decompress(format.packed, "x", 6'000'000));
  }
}

TEST(Decompress, NamesTheMethodsItReads) {
  const ByteVector lzo = {0x89, 'L', 'Z', 'O'};
  EXPECT_NE(decompress(lzo, "cannot read x").error().why.find("other than gzip, xz, zstd, lz4"),
            std::string::npos);
}

}  // namespace
}  // namespace vtax::lab
