#include "core/fast_hash.h"

#include <gmock/gmock.h>
#include <unistd.h>

#include <random>

#include "core/files.h"

namespace vtax {
namespace {

// The published empty input's hash (xxHash's own XSUM_XXH128_testdata: 99AA06D3014798D8, 6001C324468D497F).
TEST(FastHash, IsXxh3Of128Bits) {
  EXPECT_EQ(FastHash().hex(), "99aa06d3014798d86001c324468d497f");
}

TEST(FastHash, PartsAndFilesGiveTheWholesHash) {
  const std::filesystem::path file =
      std::filesystem::path(testing::TempDir()) / ("vtax-hash-" + std::to_string(::getpid()));
  std::mt19937 random(3);
  for (const std::size_t size : {0U, 1U, 240U, 241U, 4096U, 262143U, 262144U, 262145U, 1000000U}) {
    std::string text(size, '\0');
    for (char& byte : text) byte = static_cast<char>(random());
    FastHash whole, parts;
    whole.add(text);
    for (std::size_t at = 0; at < size;) {
      const std::size_t taken = std::min<std::size_t>(size - at, random() % 5000 + 1);
      parts.add(std::string_view(text).substr(at, taken));
      at += taken;
    }
    EXPECT_EQ(parts.hex(), whole.hex()) << size;
    ASSERT_TRUE(write_text(file, text));
    EXPECT_EQ(fast_hash_of_file(file).value(), whole.hex()) << size;
  }
  std::filesystem::remove(file);
  EXPECT_THAT(fast_hash_of_file(file).error().text(), testing::HasSubstr(file.string()));
}

}  // namespace
}  // namespace vtax
