#include "workload/local/fixed_compile.h"

#include <gtest/gtest.h>

#include <fstream>

namespace vtax {
namespace {

namespace fs = std::filesystem;

// A folder like the lab's, in which a script stands for the compiler.
class FixedCompile : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = fs::path(testing::TempDir()) / "vtax-fixed-compile";
    fs::remove_all(folder_);
    fs::create_directories(folder_ / "include0");
    std::ofstream(folder_ / "stb_perlin.c") << "int x;\n";
  }
  void TearDown() override { fs::remove_all(folder_); }

  void compiler(const std::string& script) const {
    std::ofstream(folder_ / "cc1") << "#!/bin/sh\n" << script << "\n";
    fs::permissions(folder_ / "cc1", fs::perms::owner_all);
  }
  [[nodiscard]] Result<SideReport> run(std::uint64_t compiles) const {
    return run_fixed_compile({folder_, "stb_perlin", compiles, false});
  }

  fs::path folder_;
};

TEST_F(FixedCompile, EachCompilerWorksOnTheWholeSourceAtFixedAddresses) {
  compiler("[ \"$1 $2 $3\" = '-quiet -O2 -nostdinc' ] || exit 1; [ \"$5\" = '" +
           (folder_ / "include0").string() +
           "' ] || exit 2; [ \"$(cut -c4-4 /proc/self/personality)\" = 4 ] || exit 3; cat \"$8\" > \"$7\"");
  const auto done = run(3);
  ASSERT_TRUE(done) << done.error().text();
  EXPECT_EQ(done->transactions, Transactions(3));
  EXPECT_EQ(done->bytes, Bytes(0));  // its cost is per compile
  std::ifstream after("/proc/self/personality");
  std::string text;
  after >> text;
  EXPECT_EQ(text[3], '0') << "this process stays as it was";
}

TEST_F(FixedCompile, ACompilerThatFailsOrMakesNothingFailsTheTrial) {
  compiler("echo no >&2; exit 1");
  auto done = run(2);
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, ExitCode::trial_failed);
  compiler("true");
  done = run(1);
  ASSERT_FALSE(done);
  EXPECT_NE(done.error().text().find("made nothing"), std::string::npos) << done.error().text();
}

TEST_F(FixedCompile, WithoutACompilerItSaysWhatIsMissing) {
  const auto done = run(1);
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, ExitCode::unavailable);
  EXPECT_NE(done.error().text().find("cc1"), std::string::npos);
}

TEST(SourceName, IsNoPath) {
  EXPECT_TRUE(is_source_name("stb_image_write"));
  for (const char* bad : {"", "../init", "a/b", "a.c", "A", "a b"}) EXPECT_FALSE(is_source_name(bad)) << bad;
}

}  // namespace
}  // namespace vtax
