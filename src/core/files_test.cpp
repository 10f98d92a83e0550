#include "core/files.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>

#include "core/input_file.h"
#include "core/sha256.h"

namespace vtax {
namespace {

class Files : public testing::Test {
 protected:
  void SetUp() override { std::filesystem::create_directories(folder_); }
  void TearDown() override { std::filesystem::remove_all(folder_); }
  std::filesystem::path folder_ = std::filesystem::path(testing::TempDir()) / "vtax-files-test";
};

TEST_F(Files, ReadsWhatWasWrittenAndLeavesNothingElse) {
  ASSERT_TRUE(write_text(folder_ / "a", "one"));
  ASSERT_TRUE(write_text(folder_ / "a", "two"));
  EXPECT_EQ(read_text(folder_ / "a").value(), "two");
  EXPECT_EQ(read_file(folder_ / "a").value(), (std::vector<std::uint8_t>{'t', 'w', 'o'}));
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder_), {}), 1);
}

TEST_F(Files, RefusesWhatIsNoFileOrTooLarge) {
  ASSERT_TRUE(write_text(folder_ / "a", "1234"));
  EXPECT_NE(read_text(folder_ / "a", 3).error().why.find("4 bytes"), std::string::npos);
  EXPECT_EQ(read_text(folder_).error().why, "it is a directory");
  EXPECT_EQ(read_text("/dev/zero").error().why, "it is a device, not a file");
  EXPECT_EQ(read_text(folder_ / "none").error().code, ExitCode::io);
  // What somebody has named.
  for (const auto& wrong : {folder_ / "none", folder_ / "a" / "b", folder_ / std::string(300, 'x')}) {
    EXPECT_EQ(open_input(wrong, "x").error().code, ExitCode::usage) << wrong;
    EXPECT_EQ(open_regular(wrong, "x").error().code, ExitCode::io) << wrong;
  }
}

// Nobody writes into the pipe: whoever opened it to read would wait for ever.
TEST_F(Files, ANamedPipeIsRefusedAtOnce) {
  const auto pipe = folder_ / "pipe";
  ASSERT_EQ(mkfifo(pipe.c_str(), 0600), 0);
  EXPECT_EQ(open_input(pipe, "x").error().why, "it is a named pipe, not a file");
  EXPECT_EQ(open_input(pipe, "x").error().code, ExitCode::usage);
  EXPECT_FALSE(read_text(pipe));
  EXPECT_FALSE(sha256_of_file(pipe));
}

TEST_F(Files, FailedWriteLeavesNothing) {
  EXPECT_FALSE(write_text(folder_ / "none" / "a", "x"));
  std::filesystem::create_directories(folder_ / "taken" / "inner");
  EXPECT_FALSE(write_text(folder_ / "taken", "x"));
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder_), {}), 1);
}

TEST(ReadText, OfAFileThatTheKernelMakes) {
  const auto text = read_text("/proc/self/status", 1 << 20);
  ASSERT_TRUE(text) << text.error().text();
  EXPECT_NE(text->find("Name:"), std::string::npos);
  EXPECT_FALSE(read_text("/proc/self/status", 10));
}

}  // namespace
}  // namespace vtax
