#include "machine/parts/decompress.h"

#include <gtest/gtest.h>
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

struct Format {
  const char* name;
  Compression compression;
  ByteVector packed;
};

std::vector<Format> formats() {
  const ByteVector in = content();
  return {{"gzip", Compression::gzip, gzip(in)},
          {"xz", Compression::xz, xz(in)},
          {"zstd", Compression::zstd, zstd(in)}};
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
  const ByteVector bzip2 = {'B', 'Z', 'h', '9'};
  EXPECT_NE(decompress(bzip2, "cannot read x").error().why.find("other than gzip, xz or zstd"),
            std::string::npos);
}

}  // namespace
}  // namespace vtax::lab
