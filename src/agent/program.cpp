#include "agent/program.h"

#include <fmt/format.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>

#include "workload/watchdog.h"

namespace vtax::agent {

Result<pid_t> start_program(const std::vector<std::string>& arguments) {
  std::vector<std::string> copies = arguments;  // posix_spawn's interface wants them writable
  std::vector<char*> pointers;
  for (std::string& copy : copies) pointers.push_back(copy.data());
  pointers.push_back(nullptr);
  pid_t child = -1;
  const int error = posix_spawn(&child, pointers[0], nullptr, nullptr, pointers.data(), environ);
  if (error != 0) return fail(system_error("cannot start " + arguments.front(), error));
  return child;
}

Result<> run_program(const std::vector<std::string>& arguments, std::chrono::nanoseconds limit) {
  const auto child = start_program(arguments);
  if (!child) return fail(child.error());
  const auto watchdog = Watchdog::start(limit);
  if (!watchdog) return fail(watchdog.error());
  int status = 0;
  while (waitpid(*child, &status, 0) < 0) {
    if (errno != EINTR) return fail(system_error("cannot wait for " + arguments.front(), errno));
    if (watchdog->expired()) {
      kill(*child, SIGKILL);
      return fail(watchdog->timeout("run " + arguments.front()));
    }
  }
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return {};
  const std::string why = WIFSIGNALED(status) ? fmt::format("it was killed by signal {}", WTERMSIG(status))
                                              : fmt::format("it ended with code {}", WEXITSTATUS(status));
  return fail(
      Error{"run " + arguments.front(), why, "its messages are on the console", ExitCode::trial_failed});
}

}  // namespace vtax::agent
