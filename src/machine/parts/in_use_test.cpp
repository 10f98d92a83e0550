#include "machine/parts/in_use.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <thread>

#include "core/files.h"

namespace vtax::lab {
namespace {

namespace fs = std::filesystem;

class InUseTest : public testing::Test {
 protected:
  void SetUp() override {
    fs::remove_all(parent_);
    make("a");
  }
  void TearDown() override { fs::remove_all(parent_); }
  void make(const std::string& name) const {
    fs::create_directories(parent_ / name / "modules");
    ASSERT_TRUE(write_text(parent_ / name / "modules" / "file", "text"));
  }
  fs::path parent_ = fs::path(testing::TempDir()) / ("vtax-in-use-" + std::to_string(::getpid()));
};

TEST_F(InUseTest, AFolderStaysAsLongAsAnyCopyOfItsMarkLives) {
  InUse mark = use_folder(parent_ / "a");
  ASSERT_NE(mark, nullptr);
  InUse copy = mark;
  mark.reset();
  EXPECT_FALSE(remove_unless_used(parent_ / "a"));
  EXPECT_TRUE(fs::exists(parent_ / "a" / "modules" / "file"));
  copy.reset();
  EXPECT_TRUE(remove_unless_used(parent_ / "a"));
  EXPECT_TRUE(fs::is_empty(parent_));
  EXPECT_EQ(use_folder(parent_ / "a"), nullptr);
}

TEST_F(InUseTest, AnotherProcessHoldsItUntilItDies) {
  int ready[2];
  ASSERT_EQ(::pipe(ready), 0);
  const pid_t child = ::fork();
  if (child == 0) {
    const InUse mark = use_folder(parent_ / "a");
    if (::write(ready[1], "x", 1) != 1) ::_exit(1);
    ::pause();
    ::_exit(0);
  }
  char byte = 0;
  ASSERT_EQ(::read(ready[0], &byte, 1), 1);
  EXPECT_FALSE(remove_unless_used(parent_ / "a"));
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
  EXPECT_TRUE(remove_unless_used(parent_ / "a"));
  ::close(ready[0]);
  ::close(ready[1]);
}

// Whoever wins: a mark that was given stands for a folder that is whole.
TEST_F(InUseTest, AMarkIsNeverGivenForWhatIsBeingRemoved) {
  for (int round = 0; round < 300; ++round) {
    make("a");
    bool removed = false;
    std::jthread remover([&] { removed = remove_unless_used(parent_ / "a"); });
    const InUse mark = use_folder(parent_ / "a");
    const bool whole = fs::exists(parent_ / "a" / "modules" / "file");
    remover.join();
    if (mark != nullptr) {
      EXPECT_TRUE(whole);
      EXPECT_FALSE(removed);
    }
  }
}

TEST_F(InUseTest, ARemovalThatWasBrokenOffIsFinishedLater) {
  fs::rename(parent_ / "a", parent_ / ".removed-a");
  make("b");
  remove_leftovers(parent_);
  EXPECT_FALSE(fs::exists(parent_ / ".removed-a"));
  EXPECT_TRUE(fs::exists(parent_ / "b"));
}

}  // namespace
}  // namespace vtax::lab
