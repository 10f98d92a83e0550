#include "core/subprocess.h"

#include <gtest/gtest.h>
#include <signal.h>

#include <fstream>
#include <string>
#include <thread>

namespace vtax {
namespace {

Finished run(Command command) {
  const auto finished = run_command(command);
  EXPECT_TRUE(finished) << finished.error().text();
  return finished.value_or(Finished{});
}

TEST(Subprocess, CapturesBothStreamsAndTheExitCode) {
  const Finished finished = run({.arguments = {"sh", "-c", "echo out; echo err >&2; exit 3"}});
  EXPECT_EQ(finished.out, "out\n");
  EXPECT_EQ(finished.err, "err\n");
  EXPECT_EQ(finished.exit_code, 3);
  EXPECT_FALSE(finished.ok());
}

TEST(Subprocess, PassesArgumentsUnchangedAndReplacesTheEnvironment) {
  EXPECT_EQ(run({.arguments = {"printf", "%s|", "a b", "$HOME", "*"}}).out, "a b|$HOME|*|");
  EXPECT_EQ(run({.arguments = {"sh", "-c", "echo $HOME"}, .environment = {"HOME=/elsewhere"}}).out,
            "/elsewhere\n");
  EXPECT_EQ(run({.arguments = {"pwd"}, .directory = "/usr"}).out, "/usr\n");
}

TEST(Subprocess, InputIsEmpty) {
  EXPECT_EQ(run({.arguments = {"cat"}}).out, "");
}

TEST(Subprocess, KeepsNoMoreThanTheLimit) {
  const Finished finished = run({.arguments = {"head", "-c", "1000000", "/dev/zero"}, .output_limit = 1000});
  EXPECT_EQ(finished.out.size(), 1000U);
  EXPECT_TRUE(finished.ok());
}

TEST(Subprocess, TimeLimitKillsTheWholeGroup) {
  const Finished finished = run({.arguments = {"sh", "-c", "sleep 1000 & echo $!; wait"},
                                 .time_limit = std::chrono::milliseconds(300)});
  EXPECT_TRUE(finished.timed_out);
  // The signal is sent; on a busy computer the process takes a moment to die of it.
  std::string state;
  for (int tries = 0; tries < 500 && state != "gone" && state != "Z"; ++tries) {
    if (tries > 0) std::this_thread::sleep_for(std::chrono::milliseconds(10));
    state = "gone";
    std::ifstream stat("/proc/" + std::to_string(std::stoi(finished.out)) + "/stat");
    std::string skipped;
    if (stat >> skipped >> skipped) stat >> state;
  }
  EXPECT_TRUE(state == "gone" || state == "Z") << state;
}

TEST(Subprocess, SignalIsAnExitCode) {
  EXPECT_EQ(run({.arguments = {"sh", "-c", "kill -TERM $$"}}).exit_code, 128 + SIGTERM);
}

TEST(Subprocess, MissingProgramAndDirectoryAreErrors) {
  const auto program = run_command({.arguments = {"no-such-program-here"}});
  ASSERT_FALSE(program);
  EXPECT_EQ(program.error().code, ExitCode::unavailable);
  EXPECT_FALSE(run_command({.arguments = {"true"}, .directory = "/nonexistent"}));
  EXPECT_FALSE(run_command({.arguments = {"/etc/passwd"}}));
}

TEST(Subprocess, LastLinesSkipsEmptyOnes) {
  EXPECT_EQ(last_lines("a\nb\n\nc\n", 2), "b\nc");
  EXPECT_EQ(last_lines("a", 5), "a");
  EXPECT_EQ(last_lines("", 5), "");
}

}  // namespace
}  // namespace vtax
