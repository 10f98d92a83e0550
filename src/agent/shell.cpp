#include "agent/shell.h"

#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <string>

#include "core/kernel_file.h"

namespace vtax::agent {
namespace {

// /dev/console cannot be a controlling terminal, and without one Ctrl-C reaches nobody.
std::string console_device() {
  const Result<std::string> active = read_kernel_file("/sys/class/tty/console/active");
  if (!active) return "/dev/console";
  return "/dev/" + active->substr(active->rfind(' ') + 1);
}

// BusyBox by its applets' names, and whatever else the image holds (Xen's toolstack).
std::string search_path() {
  std::string path = "/bin:/sbin:/usr/bin:/usr/sbin";
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator("/usr/lib", ignored))
    if (entry.path().filename().string().starts_with("xen-")) path += ":" + (entry.path() / "bin").string();
  return path;
}

int wait_for(pid_t process) {
  int status = 0;
  while (waitpid(process, &status, 0) < 0 && errno == EINTR) {
  }
  return status;
}

[[noreturn]] void become_shell(const std::string& console) {
  setsid();
  const int terminal = open(console.c_str(), O_RDWR);
  ioctl(terminal, TIOCSCTTY, 1);
  for (int fd = 0; fd < 3; ++fd) dup2(terminal, fd);
  setenv("PATH", search_path().c_str(), 1);
  setenv("HOME", "/", 1);
  setenv("TERM", "vt100", 1);
  setenv("PS1", "lab \\w # ", 1);
  execl(kShellFile, "sh", static_cast<char*>(nullptr));
  _exit(127);
}

}  // namespace

bool has_shell() {
  return access(kShellFile, X_OK) == 0;
}

Result<> run_shell() {
  const std::string console = console_device();
  const pid_t install = fork();
  if (install == 0) {
    execl(kShellFile, "busybox", "--install", "-s", "/bin", static_cast<char*>(nullptr));
    _exit(127);
  }
  if (install > 0) wait_for(install);
  const pid_t shell = fork();
  if (shell < 0) return fail(system_error("start a shell", errno));
  if (shell == 0) become_shell(console);
  const int status = wait_for(shell);
  if (WIFEXITED(status) && WEXITSTATUS(status) == 127)
    return fail(
        Error{"start a shell", std::string(kShellFile) + " does not run", "", ExitCode::trial_failed});
  return {};
}

}  // namespace vtax::agent
