#include "workload/orders/run_time_names.h"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <fstream>

#include "workload/orders/program_confinement.h"

namespace vtax {
namespace {

namespace fs = std::filesystem;

class RunTimeNames : public testing::Test {
 protected:
  static constexpr pid_t kFirst = 40'000'000;  // numbers that no process has

  void SetUp() override {
    confine_programs(place);
    fs::create_directories(folder);
  }
  void TearDown() override { fs::remove_all(place); }
  [[nodiscard]] fs::path map_of(pid_t process) const {
    return folder / ("perf-" + std::to_string(process) + ".map");
  }
  static constexpr std::size_t kRoom = 4 << 20;
  [[nodiscard]] static std::string names(pid_t end = kFirst + 1000) {
    return run_time_names_of([end](pid_t process) { return process >= kFirst && process < end; }, kRoom)
        .lines();
  }

  const std::string place = testing::TempDir() + "vtax-run-time-" + std::to_string(getpid());
  const fs::path folder = place + "/root/tmp";
};

TEST_F(RunTimeNames, AreThoseOfTheWantedProcessesWholeLines) {
  std::ofstream(map_of(kFirst)) << "1000 10 one\n2000 10 unfin";
  std::ofstream(map_of(kFirst + 1)) << "3000 10 two of a child\n";
  EXPECT_EQ(names(), "3000 10 two of a child\n1000 10 one\n");
  EXPECT_EQ(names(kFirst + 1), "1000 10 one\n");
}

// As V8's: its built-in functions stand at the start, and what it compiles is compiled again and again.
TEST_F(RunTimeNames, OfALongFileAreAllThatIsNotSuperseded) {
  std::ofstream file(map_of(kFirst));
  file << "100 10 built in\n";
  for (std::uint64_t i = 0; i < 50'000; ++i)
    file << fmt::format("{:x} 10 function {} {}\n", 0x1000 + i % 10'000 * 0x100, i, std::string(i % 40, 'x'));
  file << std::string(600'000, 'a') << "\n300 10 " << std::string(300'000, 'b') << "\n200 10 last\n";
  file.close();
  const auto all = run_time_names_of([](pid_t process) { return process == kFirst; }, kRoom);
  RunTimeFunctions functions;
  read_run_time_functions(all.lines(), functions);
  ASSERT_EQ(functions.size(), 10'003U);
  EXPECT_EQ(all.left_out(), 0U);
  EXPECT_EQ(functions.at(0x100).name, "built in");
  EXPECT_EQ(functions.at(0x200).name, "last");
  for (const std::uint64_t i : {0U, 1U, 4321U, 9999U})
    EXPECT_EQ(functions.at(0x1000 + i * 0x100).name,
              fmt::format("function {} {}", 40'000 + i, std::string((40'000 + i) % 40, 'x')));
  const auto few = run_time_names_of([](pid_t process) { return process == kFirst; }, 13);
  EXPECT_EQ(few.lines(), "200 10 last\n");
  EXPECT_EQ(few.left_out(), 10'002U);
}

TEST_F(RunTimeNames, FollowNoLinkAndWaitAtNoPipe) {
  std::ofstream(map_of(kFirst + 4)) << "1000 10 real\n";
  fs::create_symlink(map_of(kFirst + 4).filename(), map_of(kFirst + 1));
  ASSERT_EQ(mkfifo(map_of(kFirst + 2).c_str(), 0600), 0);
  fs::create_directory(map_of(kFirst + 3));
  EXPECT_EQ(names(kFirst + 4), "");
  EXPECT_EQ(names(), "1000 10 real\n");
}

// A process with a session of its own until it goes out of scope.
struct Leader {
  Leader() {
    int ready[2];
    if (pipe(ready) != 0) return;
    process = fork();
    if (process == 0) {
      setsid();
      static_cast<void>(write(ready[1], "", 1) == 1);
      pause();
      _exit(0);
    }
    char told = 0;
    static_cast<void>(read(ready[0], &told, 1) == 1);
    close(ready[0]);
    close(ready[1]);
  }
  Leader(const Leader&) = delete;
  Leader& operator=(const Leader&) = delete;
  ~Leader() {
    kill(process, SIGKILL);
    waitpid(process, nullptr, 0);
  }
  pid_t process = -1;
};

TEST(ProcessesOfAProgram, AreThoseOfItsSessionAndAmongOthersNoMore) {
  const Leader client, other;
  ASSERT_GT(client.process, 0);
  ASSERT_GT(other.process, 0);
  EXPECT_TRUE(is_of_program(client.process, client.process, false));
  EXPECT_FALSE(is_of_program(other.process, client.process, false));
  constexpr pid_t kEnded = 40'000'000;
  EXPECT_FALSE(is_of_program(kEnded, client.process, false));
  EXPECT_TRUE(is_of_program(kEnded, client.process, true));
  EXPECT_TRUE(is_of_program(kEnded, kEnded, false)) << "the first one's own, which has ended";
  EXPECT_FALSE(is_of_program(kEnded - 1, kEnded, true)) << "an earlier program's";
  EXPECT_FALSE(is_of_program(client.process, 0, true)) << "there was none";
}

}  // namespace
}  // namespace vtax
