#include "machine/host/sandbox.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <thread>

namespace vtax::host {
namespace {

using nlohmann::json;

const TellStep nobody = [](const std::string&) {};

Result<json> run(const SandboxedWork& work, std::chrono::seconds limit = std::chrono::seconds(20)) {
  return run_in_sandbox(work, nobody, limit);
}

class Sandbox : public testing::Test {
 protected:
  void SetUp() override {
    const auto made = run([](const TellStep&) { return json::object(); });
    if (!made && made.error().code == ExitCode::unavailable) GTEST_SKIP() << made.error().text();
    ASSERT_TRUE(made) << made.error().text();
  }
};

TEST_F(Sandbox, AnswersErrorsAndStepsComeBack) {
  std::vector<std::string> steps;
  const auto answer = run_in_sandbox(
      [](const TellStep& progress) -> Result<json> {
        progress("one");
        return json{{"a", 1}};
      },
      [&](const std::string& step) { steps.push_back(step); }, std::chrono::seconds(20));
  ASSERT_TRUE(answer) << answer.error().text();
  EXPECT_EQ(*answer, (json{{"a", 1}}));
  EXPECT_EQ(steps, std::vector<std::string>{"one"});
  const auto error = run([](const TellStep&) -> Result<json> {
    return fail(Error{"what", "why", "next", ExitCode::io});
  });
  ASSERT_FALSE(error);
  EXPECT_EQ(error.error().text(), "what: why\n  next");
  EXPECT_EQ(error.error().code, ExitCode::io);
}

TEST_F(Sandbox, ItIsAloneWithItsProcessesLinksAndFiles) {
  const auto answer = run([](const TellStep&) -> Result<json> {
    json out = {{"pid", getpid()}, {"processes", 0}, {"links", ""}};
    std::ifstream devices("/proc/net/dev");
    out["links"] = std::string(std::istreambuf_iterator<char>(devices), {});
    for (const auto& entry : std::filesystem::directory_iterator("/proc"))
      if (isdigit(entry.path().filename().string()[0]) != 0)
        out["processes"] = out["processes"].get<int>() + 1;
    std::ofstream(std::string(kScratchDirectory) + "/vtax-left-behind") << "x";
    return out;
  });
  ASSERT_TRUE(answer) << answer.error().text();
  EXPECT_EQ((*answer)["pid"], 1);
  EXPECT_EQ((*answer)["processes"], 1);
  EXPECT_EQ((*answer)["links"].get<std::string>().find("eth"), std::string::npos);
  EXPECT_FALSE(std::filesystem::exists(std::string(kScratchDirectory) + "/vtax-left-behind"));
}

TEST_F(Sandbox, WhatItStartedEndsWithIt) {
  prctl(PR_SET_CHILD_SUBREAPER, 1);
  for (const bool answers : {true, false}) {
    const auto answer = run(
        [&](const TellStep&) -> Result<json> {
          for (int i = 0; i < 3; ++i)
            if (fork() == 0)
              for (;;) pause();
          if (answers) return json::object();
          for (;;) pause();
        },
        std::chrono::seconds(answers ? 20 : 1));
    EXPECT_EQ(static_cast<bool>(answer), answers);
    // As the reaper of orphans this process would see each of them.
    EXPECT_EQ(waitpid(-1, nullptr, WNOHANG), -1);
    EXPECT_EQ(errno, ECHILD);
  }
}

TEST_F(Sandbox, ADeathInsideIsAnError) {
  const auto answer = run([](const TellStep&) -> Result<json> { _exit(3); });
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, ExitCode::trial_failed);
}

TEST_F(Sandbox, NothingOutlivesAKilledCaller) {
  prctl(PR_SET_CHILD_SUBREAPER, 1);
  for (int round = 0; round < 20; ++round) {
    const pid_t caller = fork();
    if (caller == 0) {
      static_cast<void>(run([](const TellStep&) -> Result<json> {
        if (fork() == 0)
          for (;;) pause();
        for (;;) pause();
      }));
      _exit(0);
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(round * 2));
    kill(caller, SIGKILL);
    int left = 1;
    for (int wait = 0; wait < 500 && left > 0; ++wait) {
      while (waitpid(-1, nullptr, WNOHANG) > 0) {
      }
      left = errno == ECHILD ? 0 : 1;
      if (left > 0) std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    EXPECT_EQ(left, 0) << "round " << round;
  }
}

}  // namespace
}  // namespace vtax::host
