#include "workload/session/secret.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>

#include "core/files.h"

namespace vtax {
namespace {

// RFC 4231, test cases 1, 2 and 6.
TEST(HmacSha256, IsThatOfTheStandard) {
  EXPECT_EQ(hmac_sha256(std::string(20, '\x0b'), "Hi There"),
            "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
  EXPECT_EQ(hmac_sha256("Jefe", "what do ya want for nothing?"),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
  EXPECT_EQ(hmac_sha256(std::string(131, '\xaa'), "Test Using Larger Than Block-Size Key - Hash Key First"),
            "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
}

TEST(Secret, ProvesItselfToWhoHasItOnly) {
  const auto ours = Secret::from_text("a good secret"), same = Secret::from_text("goodsecret");
  EXPECT_FALSE(ours);  // a space
  const auto other = Secret::from_text("othersecret");
  ASSERT_TRUE(same && other);
  const std::string proof = same->proof("client", "42");
  EXPECT_TRUE(same->proves("client", "42", proof));
  EXPECT_FALSE(same->proves("server", "42", proof));
  EXPECT_FALSE(same->proves("client", "43", proof));
  EXPECT_FALSE(other->proves("client", "42", proof));
  EXPECT_FALSE(same->proves("client", "42", ""));
}

TEST(Secret, ComesFromAPrivateFile) {
  const auto path = std::filesystem::temp_directory_path() / "vtax-secret-test";
  ASSERT_TRUE(write_text(path, "from-a-file\nmore\n"));
  chmod(path.c_str(), 0644);
  EXPECT_NE(Secret::from_file(path).error().text().find("others may read it"), std::string::npos);
  for (const mode_t mode : {0620U, 0602U, 0660U, 0622U}) {
    chmod(path.c_str(), mode);
    EXPECT_NE(Secret::from_file(path).error().next.find("chmod 600"), std::string::npos) << mode;
  }
  chmod(path.c_str(), 0600);
  EXPECT_EQ(Secret::from_file(path)->text(), "from-a-file");
  std::filesystem::remove(path);
  EXPECT_FALSE(Secret::from_file(path));
}

TEST(Secret, IsLongEnough) {
  EXPECT_FALSE(Secret::from_text("short"));
  EXPECT_FALSE(Secret::from_text(std::string(300, 'x')));
  EXPECT_NE(Secret::make()->text(), Secret::make()->text());
}

}  // namespace
}  // namespace vtax
