// Runs on this computer that are killed, interrupted, begun again: nothing of them stays, and no result is
// lost.

#include <fcntl.h>
#include <gmock/gmock.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <random>
#include <thread>

#include "core/files.h"
#include "tests/host/host_study.h"
#include "tests/host/traces.h"

namespace vtax {
namespace {

namespace fs = std::filesystem;

// vtax in a session of its own, killed at random moments of its life.
class HostKilled : public Host, public testing::WithParamInterface<std::string> {};

TEST_P(HostKilled, LeavesNothing) {
  need_platform(GetParam());
  if (IsSkipped()) return;
  const auto before = traces();
  std::mt19937 random(7);
  for (int round = 0; round < 10; ++round) {
    const fs::path out = folder_ / "killed.vtax";
    fs::remove(out);
    start_and_kill({VTAX_PROGRAM, "run", "first-look", "--machine", "host", "--set", "platform=" + GetParam(),
                    "--set", "workload=tcp-rr", "--out", out.string()},
                   folder_, std::chrono::milliseconds(random() % 2500));
    EXPECT_THAT(left_behind(before), testing::IsEmpty()) << "round " << round;
  }
}

INSTANTIATE_TEST_SUITE_P(All, HostKilled, testing::Values("container", "uml", "qemu", "xen-pv", "xen-hvm"));

// At any moment of its first 40 ms: before its handlers it dies of the signal, afterwards it says so; what it
// has not found by then is no fault of the computer.
TEST_F(Host, AnInterruptionAtTheBeginningIsOne) {
  need_platform("container");
  if (IsSkipped()) return;
  const auto before = traces();
  int orderly = 0;
  for (int i = 0; i < 80; ++i) {
    const fs::path words = folder_ / "words";
    const pid_t child = fork();
    if (child == 0) {
      const int said = open(words.c_str(), O_RDWR | O_CREAT | O_TRUNC, 0600);
      for (const int fd : {1, 2}) dup2(said, fd);
      execl(VTAX_PROGRAM, "vtax", "run", "first-look", "--machine", "host", "--set", "platform=container",
            "--set", "workload=tcp-rr", "--out", (folder_ / "early.vtax").c_str(),
            static_cast<char*>(nullptr));
      _exit(127);
    }
    std::this_thread::sleep_for(std::chrono::microseconds(500 * i));
    kill(child, SIGINT);
    int status = 0;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    fs::remove(folder_ / "early.vtax");
    const std::string text = read_text(words).value_or("");
    EXPECT_THAT(text, testing::Not(testing::HasSubstr("as root"))) << i;
    if (WIFSIGNALED(status)) {
      EXPECT_EQ(WTERMSIG(status), SIGINT) << i;
      continue;
    }
    EXPECT_EQ(WEXITSTATUS(status), 130) << i << text;
    EXPECT_THAT(text, testing::HasSubstr("interrupted")) << i;
    ++orderly;
  }
  EXPECT_GT(orderly, 10);
  EXPECT_THAT(left_behind(before), testing::IsEmpty());
}

TEST_F(Host, ASecondRunHasAFileOfItsOwn) {
  const std::string arguments = study("native", "tcp-rr --quick --reps 1");
  ASSERT_EQ(run(arguments).code, 0);
  const auto second = run(arguments);
  ASSERT_EQ(second.code, 0) << second.err;
  EXPECT_THAT(second.err,
              testing::HasSubstr("first-look.vtax is there already: this run goes into first-look-2.vtax"));
  EXPECT_TRUE(fs::exists(folder_ / "first-look-2.vtax"));
  const auto resumed = run(arguments + " --resume");
  EXPECT_EQ(resumed.code, 0) << resumed.err;
  EXPECT_THAT(resumed.err, testing::HasSubstr("going on with first-look-2.vtax"));
  EXPECT_FALSE(fs::exists(folder_ / "first-look-3.vtax"));
}

// A run that --set, --reps and --machine shaped goes on by its file alone; whoever names other settings is
// refused.
TEST_F(Host, ARunGoesOnByItsFileAlone) {
  const auto whole = run(study("native", "tcp-rr --reps 2 --set transactions=300 --out whole.vtax"));
  ASSERT_EQ(whole.code, 0) << whole.err;
  const auto resumed = run("whole.vtax --resume");
  EXPECT_EQ(resumed.code, 0) << resumed.err;
  EXPECT_THAT(resumed.err, testing::HasSubstr("are in whole.vtax already"));
  const auto changed = run("whole.vtax --resume --set transactions=200");
  EXPECT_EQ(changed.code, 2);
  EXPECT_THAT(changed.err, testing::HasSubstr("a run file has settings of its own"));
}

TEST_F(Host, AStudysNameIsNoPath) {
  std::ofstream(folder_ / "s.toml")
      << "name = \"../evil\"\nmachine = \"host\"\n[factors]\nplatform = \"native\"\n"
         "[[workload]]\nname = \"tcp-rr\"\ntransactions = 100\n";
  const auto result = run("s.toml --reps 1");
  ASSERT_EQ(result.code, 0) << result.err;
  EXPECT_TRUE(fs::exists(folder_ / "evil.vtax"));
  EXPECT_FALSE(fs::exists(folder_.parent_path() / "evil.vtax"));
}

}  // namespace
}  // namespace vtax
