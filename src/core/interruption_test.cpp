#include "core/interruption.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <string>

#include "core/unfinished_file.h"

namespace vtax {
namespace {

namespace fs = std::filesystem;

class Interruption : public testing::Test {
 protected:
  Interruption() {
    std::string pattern = (fs::temp_directory_path() / "vtax-interruption-XXXXXX").string();
    folder_ = ::mkdtemp(pattern.data());
  }
  ~Interruption() override { fs::remove_all(folder_); }

  [[nodiscard]] fs::path file(const char* name) const {
    std::ofstream(folder_ / name) << "a part";
    return folder_ / name;
  }

  // Of a process that does this.
  template <class Deed>
  static int exit_code_of(const Deed& deed) {
    const pid_t child = ::fork();
    if (child == 0) {
      deed();
      ::_exit(0);
    }
    int status = 0;
    ::waitpid(child, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }

  fs::path folder_;
};

TEST_F(Interruption, EndsAtOnceWhoHasNothingElseToEnd) {
  const fs::path whole = file("whole"), part = file("part"), moved = file("moved");
  const int code = exit_code_of([&] {
    catch_interruptions();
    end_at_interruptions();
    { const UnfinishedFile done(whole); }
    UnfinishedFile first(moved);
    const UnfinishedFile second(std::move(first)), third(part);
    ::raise(SIGTERM);
  });
  EXPECT_EQ(code, 130);
  EXPECT_TRUE(fs::exists(whole));
  EXPECT_FALSE(fs::exists(part));
  EXPECT_FALSE(fs::exists(moved));
}

TEST_F(Interruption, IsOtherwiseLeftToTheVerbUntilTheSecondOne) {
  const fs::path part = file("part");
  EXPECT_EQ(exit_code_of([&] {
              catch_interruptions();
              const UnfinishedFile unfinished(part);
              ::raise(SIGINT);
              if (!interrupted() || !fs::exists(part)) ::_exit(1);
              ::raise(SIGINT);
            }),
            130);
  EXPECT_FALSE(fs::exists(part));
}

TEST_F(Interruption, SaysNothingOfStudiesByItself) {
  EXPECT_EQ(interruption_error().text(), "interrupted");
}

}  // namespace
}  // namespace vtax
