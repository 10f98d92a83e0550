#include "machine/host/walled_folder.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <sys/mount.h>
#include <unistd.h>

#include <chrono>
#include <string>
#include <thread>

#include "machine/host/sandbox.h"
#include "platform/guest_process.h"

namespace vtax::host {
namespace {

using nlohmann::json;
using testing::HasSubstr;

// This computer's shell with what it needs, and the sandbox's /proc.
Result<std::string> folder_with_shell() {
  auto walled = WalledFolder::make("walled", 1 << 20, 64);
  if (!walled) return fail(walled.error());
  for (const std::string folder : {"bin", "lib", "lib64", "usr", "proc"}) {
    if (access(("/" + folder).c_str(), F_OK) != 0) continue;
    if (Result<> made = walled->inside().directory(folder); !made) return fail(made.error());
    if (mount(("/" + folder).c_str(), (walled->root() / folder).c_str(), nullptr, MS_BIND | MS_REC, nullptr))
      return fail(cannot_mount(folder));
  }
  return walled->folder().string();
}

// As User Mode Linux is: a process of this computer.
TEST(WalledFolder, WhoeverIsStartedInItHasNothingOfVtax) {
  const auto answer = run_in_sandbox(
      [](const TellStep&) -> Result<json> {
        const auto walls = folder_with_shell();
        if (!walls) return fail(walls.error());
        if (dup2(2, 300) != 300) return fail(system_error("cannot open a descriptor", errno));
        GuestProgram guest{"/bin/sh",
                           {"-c",
                            "echo /proc/self/fd/*; while read name value; do case $name in Cap[PE]*) "
                            "echo $name$value; esac; done < /proc/self/status; echo all; exec sleep 60"},
                           {"PATH=/bin:/usr/bin"}};
        guest.walls = *walls;
        auto process = GuestProcess::start(guest, 0);
        if (!process) return fail(process.error());
        const pid_t session = getsid(process->process());
        std::string said;
        for (int i = 0; i < 500 && process->running() && said.find("all") == std::string::npos; ++i) {
          std::this_thread::sleep_for(std::chrono::milliseconds(10));
          said = process->console();
        }
        return json{{"said", said}, {"has_session", session == process->process()}};
      },
      [](const std::string&) {}, std::chrono::seconds(20));
  if (!answer && answer.error().code == ExitCode::unavailable) GTEST_SKIP() << answer.error().text();
  ASSERT_TRUE(answer) << answer.error().text();
  const std::string said = (*answer)["said"];
  EXPECT_THAT(said, HasSubstr("/proc/self/fd/2"));
  EXPECT_THAT(said, testing::Not(HasSubstr("/proc/self/fd/300")));
  // Those of programs, and CAP_SYS_PTRACE.
  EXPECT_THAT(said, HasSubstr("CapPrm:00000000000800eb\nCapEff:00000000000800eb\n"));
  EXPECT_EQ((*answer)["has_session"], true);
}

}  // namespace
}  // namespace vtax::host
