#include "core/process_end.h"

#include <fmt/format.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>

#include "core/readable.h"

namespace vtax {
namespace {

std::string killed_text(int signal) {
  const char* const name = sigdescr_np(signal);
  return fmt::format("it was killed by signal {} ({})", signal, name != nullptr ? name : "of no name");
}

std::string ended_text(int code) {
  return fmt::format("it ended with code {}", code);
}

}  // namespace

std::string end_text(int status) {
  return WIFSIGNALED(status) ? killed_text(WTERMSIG(status)) : ended_text(WEXITSTATUS(status));
}

std::string end_of_child(pid_t process) {
  siginfo_t end{};
  if (waitid(P_PID, static_cast<id_t>(process), &end, WEXITED | WNOHANG | WNOWAIT) != 0 || end.si_pid == 0)
    return "";
  return end.si_code == CLD_EXITED ? ended_text(end.si_status) : killed_text(end.si_status);
}

Descriptor process_descriptor(pid_t process) {
  return Descriptor(static_cast<int>(syscall(SYS_pidfd_open, process, 0)));
}

std::string kernel_panic_in(std::string_view console) {
  constexpr std::string_view kSays = "Kernel panic - ";
  constexpr std::size_t kMost = 200;
  const std::size_t begin = console.rfind(kSays);
  if (begin == std::string_view::npos) return "";
  const std::size_t end = std::min(console.find_first_of("\r\n", begin), console.size());
  return printable(console.substr(begin, end - begin), kMost);
}

}  // namespace vtax
