#include "cli/pager.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <sstream>
#include <string>
#include <string_view>
#include <utility>

#include "core/readable.h"

namespace vtax {
namespace {

// -F: ends when all fits on one screen, -R: colours, -X: the text stays when it ends.
constexpr const char* kLessOptions = "FRX";

bool is_in_path(const char* program) {
  const char* path = std::getenv("PATH");
  std::istringstream folders(path == nullptr ? "" : path);
  for (std::string folder; std::getline(folders, folder, ':');)
    if (::access((std::filesystem::path(folder) / program).c_str(), X_OK) == 0) return true;
  return false;
}

// Empty: none.
std::string pager_command() {
  const char* terminal = std::getenv("TERM");
  if (::isatty(STDOUT_FILENO) == 0 || terminal == nullptr || std::string_view(terminal) == "dumb") return "";
  const char* own = std::getenv("PAGER");
  if (own == nullptr) return is_in_path("less") ? "less" : "";
  return std::string_view(own) == "cat" ? "" : own;
}

}  // namespace

Result<Pager> Pager::begin(bool is_wanted) {
  Pager pager;
  const std::string command = is_wanted ? pager_command() : "";
  if (command.empty()) return pager;
  const std::string what = "cannot show it through the pager " + printable(command, 100);
  std::array<int, 2> ends{-1, -1};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return fail(system_error(what, errno));
  const Descriptor read_end(ends[0]), write_end(ends[1]);
  std::cout.flush();
  std::fflush(stdout);
  pager.terminal_ = Descriptor(::fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3));
  if (!pager.terminal_.valid()) return fail(system_error(what, errno));
  const pid_t child = ::fork();
  if (child < 0) return fail(system_error(what, errno));
  if (child == 0) {
    ::signal(SIGINT, SIG_DFL);
    ::setenv("LESS", kLessOptions, 0);
    if (::dup2(read_end.get(), STDIN_FILENO) < 0) ::_exit(127);
    ::execl("/bin/sh", "sh", "-c", command.c_str(), nullptr);
    ::_exit(127);
  }
  pager.child_ = child;
  // Keys are the pager's until it ends.
  struct sigaction ignored {};
  ignored.sa_handler = SIG_IGN;
  ::sigaction(SIGINT, &ignored, &pager.interruption_);
  ::sigaction(SIGPIPE, &ignored, &pager.broken_pipe_);
  ::dup2(write_end.get(), STDOUT_FILENO);
  return pager;
}

Result<> Pager::end() {
  if (child_ <= 0) return {};
  std::cout.flush();
  std::fflush(stdout);
  // The reader has left: nothing is wrong with the terminal.
  std::cout.clear();
  std::clearerr(stdout);
  ::dup2(terminal_.get(), STDOUT_FILENO);  // which closes the pipe
  int status = 0;
  while (::waitpid(child_, &status, 0) < 0 && errno == EINTR) {
  }
  child_ = -1;
  ::sigaction(SIGINT, &interruption_, nullptr);
  ::sigaction(SIGPIPE, &broken_pipe_, nullptr);
  constexpr int kNotRun = 126, kNotFound = 127;
  if (WIFEXITED(status) && (WEXITSTATUS(status) == kNotRun || WEXITSTATUS(status) == kNotFound))
    return fail({"cannot show it through a pager", "what PAGER names cannot be run",
                 "set PAGER to another program, or show it by --no-pager", ExitCode::usage});
  return {};
}

Pager::Pager(Pager&& other) noexcept
    : child_(std::exchange(other.child_, -1)),
      terminal_(std::move(other.terminal_)),
      interruption_(other.interruption_),
      broken_pipe_(other.broken_pipe_) {}

Pager::~Pager() {
  static_cast<void>(end());
}

}  // namespace vtax
