#include "core/subprocess.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

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

TEST(Subprocess, WhatOutlivesThisProgramMayLeaveProgramsBehind) {
  const Finished finished = run({.arguments = {"sh", "-c", "sleep 30 & echo $!; echo err >&2; exit 3"},
                                 .time_limit = std::chrono::seconds(20),
                                 .outlives = true});
  EXPECT_FALSE(finished.timed_out);
  EXPECT_EQ(finished.exit_code, 3);
  EXPECT_EQ(finished.err, "err\n");
  const pid_t left = std::stoi(finished.out);
  EXPECT_EQ(kill(left, 0), 0);
  kill(left, SIGKILL);
}

TEST(Subprocess, WhatOutlivesThisProgramHasATimeLimitToo) {
  const Finished finished =
      run({.arguments = {"sleep", "1000"}, .time_limit = std::chrono::milliseconds(300), .outlives = true});
  EXPECT_TRUE(finished.timed_out);
  EXPECT_EQ(finished.exit_code, 128 + SIGKILL);
  EXPECT_FALSE(run_command({.arguments = {"/etc/passwd"}, .outlives = true}));
}

// Whoever runs it is killed: does it end with them?
TEST(Subprocess, ItGoesOnOnlyIfItIsToOutlive) {
  for (const bool outlives : {false, true}) {
    int ends[2];
    ASSERT_EQ(pipe(ends), 0);
    const pid_t caller = fork();
    if (caller == 0) {
      const std::string say = "sleep 1; echo on >&" + std::to_string(ends[1]);
      static_cast<void>(run_command({.arguments = {"sh", "-c", say}, .outlives = outlives}));
      _exit(0);
    }
    close(ends[1]);
    std::this_thread::sleep_for(std::chrono::milliseconds(400));
    kill(caller, SIGKILL);
    waitpid(caller, nullptr, 0);
    char word[8];
    EXPECT_EQ(read(ends[0], word, sizeof word), outlives ? 3 : 0);
    close(ends[0]);
  }
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
