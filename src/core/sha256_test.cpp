#include "core/sha256.h"

#include <gtest/gtest.h>

#include <string>

namespace vtax {
namespace {

// The vectors of NIST's example paper for SHA-256, the empty message and the million-letter one of FIPS
// 180-2.
TEST(Sha256, StandardVectors) {
  EXPECT_EQ(sha256_hex("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(sha256_hex("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"),
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
  EXPECT_EQ(sha256_hex(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(sha256_hex(std::string(1'000'000, 'a')),
            "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

TEST(Sha256, PartsGiveTheWholesHash) {
  const std::string message(1000, 'x');
  for (const std::size_t part : {1U, 55U, 56U, 63U, 64U, 65U, 128U, 999U}) {
    Sha256 hash;
    for (std::size_t at = 0; at < message.size(); at += part)
      hash.add(std::string_view(message).substr(at, part));
    EXPECT_EQ(hash.hex(), sha256_hex(message)) << part;
  }
}

TEST(Sha256, MissingFileIsAnError) {
  const auto hash = sha256_of_file("/nonexistent/file");
  ASSERT_FALSE(hash);
  EXPECT_NE(hash.error().text().find("/nonexistent/file"), std::string::npos);
}

}  // namespace
}  // namespace vtax
