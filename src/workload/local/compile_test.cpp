#include "workload/local/compile.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace vtax {
namespace {

// PATH and TMPDIR of one test.
class Compile : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = testing::TempDir() + "compile-XXXXXX";
    ASSERT_NE(mkdtemp(name.data()), nullptr);
    folder_ = name;
    std::filesystem::create_directory(folder_ / "tmp");
    path_ = std::getenv("PATH");
    if (const char* given = std::getenv("TMPDIR"); given != nullptr) tmpdir_ = given;
    setenv("TMPDIR", (folder_ / "tmp").c_str(), 1);
  }
  void TearDown() override {
    EXPECT_TRUE(std::filesystem::is_empty(folder_ / "tmp")) << "something stayed";
    setenv("PATH", path_.c_str(), 1);
    tmpdir_.empty() ? unsetenv("TMPDIR") : setenv("TMPDIR", tmpdir_.c_str(), 1);
    std::filesystem::remove_all(folder_);
  }
  void fake_compiler(const std::string& script) {
    const auto file = folder_ / "c++";
    std::ofstream(file) << "#!/bin/sh\n[ \"$1\" = --version ] && { echo fake 1; exit 0; }\n"
                        << script << '\n';
    std::filesystem::permissions(file, std::filesystem::perms::owner_all);
    setenv("PATH", (folder_.string() + ":" + path_).c_str(), 1);
  }

  std::filesystem::path folder_;
  std::string path_, tmpdir_;
};

TEST_F(Compile, ImpossibleOptionsAreUsageErrors) {
  constexpr std::uint64_t kHuge = std::uint64_t{1} << 63;
  for (const CompileOptions& options :
       {CompileOptions{0, 1, 1, Language::c, 1}, CompileOptions{kHuge, 1, 1, Language::c, 1},
        CompileOptions{1, 0, 1, Language::c, 1}, CompileOptions{1, kHuge, 1, Language::c, 1},
        CompileOptions{1, 1, 0, Language::c, 1}, CompileOptions{1, 1, kHuge, Language::c, 1}}) {
    const auto done = run_compile(options);
    ASSERT_FALSE(done);
    EXPECT_EQ(done.error().code, ExitCode::usage);
  }
}

TEST_F(Compile, TheSameSeedGivesTheSameBytes) {
  EXPECT_EQ(sha256_of(source_tree(1, 3, 5, Language::cpp)),
            "5fedb7ebbf59b591f1bc09b1e42c528fc5d6e8455d3be026aa06d8163f62b68e");
  EXPECT_EQ(sha256_of(source_tree(1, 3, 5, Language::c)),
            "dba5f482a3b8100a8189a4d6e3ca02935fbce4c69ccd1b827a9026f4d7e41078");
  EXPECT_NE(sha256_of(source_tree(2, 3, 5, Language::c)), sha256_of(source_tree(1, 3, 5, Language::c)));
}

TEST_F(Compile, CompilesWithTheRealCompilerAndCountsItsCpu) {
  for (const Language language : {Language::c, Language::cpp}) {
    const auto done = run_compile({2, 3, 2, language, 1});
    if (!done && done.error().code == ExitCode::unavailable) GTEST_SKIP() << done.error().text();
    ASSERT_TRUE(done) << done.error().text();
    EXPECT_EQ(done->transactions.value, 2U);
    EXPECT_EQ(done->latency->count(), 2U);
    EXPECT_GT(done->cpu.process(), std::chrono::milliseconds(5));  // vtax itself does hardly anything
    EXPECT_EQ(done->metrics.at(0).name, "seconds");
    EXPECT_FALSE(done->metrics.at(0).higher_is_better);
  }
}

TEST_F(Compile, NoCompilerIsUnavailable) {
  setenv("PATH", folder_.c_str(), 1);
  const auto done = run_compile({1, 1, 1, Language::c, 1});
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, ExitCode::unavailable);
}

TEST_F(Compile, ACompilerThatFailsOrMakesNothingIsAnError) {
  for (const char* script : {"echo no such luck >&2; exit 3", "exit 0", "kill -9 $$"}) {
    fake_compiler(script);
    const auto done = run_compile({4, 1, 2, Language::cpp, 1});
    ASSERT_FALSE(done) << script;
    EXPECT_EQ(done.error().code, ExitCode::trial_failed);
  }
}

}  // namespace
}  // namespace vtax
