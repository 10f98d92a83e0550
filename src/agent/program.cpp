#include "agent/program.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <filesystem>

#include "core/files.h"
#include "core/process_end.h"
#include "workload/measure/watchdog.h"

namespace vtax::agent {

Result<pid_t> start_program(const std::vector<std::string>& arguments, const char* output) {
  std::vector<std::string> copies = arguments;  // posix_spawn's interface wants them writable
  std::vector<char*> pointers;
  for (std::string& copy : copies) pointers.push_back(copy.data());
  pointers.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  if (output != nullptr) {
    posix_spawn_file_actions_addopen(&actions, 1, output, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    posix_spawn_file_actions_adddup2(&actions, 1, 2);
  }
  pid_t child = -1;
  const int error = posix_spawn(&child, pointers[0], &actions, nullptr, pointers.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  if (error != 0) return fail(system_error("cannot start " + arguments.front(), error));
  return child;
}

Result<int> wait_for_program(pid_t process, const std::string& name, std::chrono::nanoseconds limit) {
  const auto watchdog = Watchdog::start(limit);
  if (!watchdog) return fail(watchdog.error());
  int status = 0;
  while (waitpid(process, &status, 0) < 0) {
    if (errno != EINTR) return fail(system_error("cannot wait for " + name, errno));
    if (watchdog->expired()) return fail(watchdog->timeout("run " + name));
  }
  return status;
}

namespace {

constexpr char kSaid[] = "/run/program.out";

}  // namespace

Result<> run_program(const std::vector<std::string>& arguments, std::chrono::nanoseconds limit) {
  const auto child = start_program(arguments, kSaid);
  if (!child) return fail(child.error());
  const Result<int> ended = wait_for_program(*child, arguments.front(), limit);
  if (!ended) {
    kill(*child, SIGKILL);
    return fail(ended.error());
  }
  const int status = *ended;
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return {};
  const std::string why = end_text(status);
  std::string words = "run";
  for (std::size_t i = 0; i < arguments.size() && i < 2; ++i) words += " " + arguments[i];
  const std::string last = vtax::last_lines(std::filesystem::path(kSaid));
  return fail(Error{std::move(words), last.empty() ? why + " and said nothing" : why + "; it said: " + last,
                    "", ExitCode::trial_failed});
}

Result<std::string> said_by_program(const std::vector<std::string>& arguments,
                                    std::chrono::nanoseconds limit) {
  if (Result<> ran = run_program(arguments, limit); !ran) return fail(ran.error());
  return read_text(kSaid);
}

}  // namespace vtax::agent
