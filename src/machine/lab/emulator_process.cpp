#include "machine/lab/emulator_process.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <string_view>
#include <utility>

#include "core/files.h"
#include "machine/parts/lab_parts.h"

namespace vtax::lab {

Result<Pipe> make_pipe() {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return fail(system_error("cannot make a pipe", errno));
  fcntl(ends[0], F_SETFL, O_NONBLOCK);
  return Pipe{Descriptor(ends[0]), Descriptor(ends[1])};
}

Result<int> start_process(const Qemu& qemu, const std::vector<std::string>& arguments,
                          const std::vector<int>& inherited, int output) {
  std::vector<std::string> words = {qemu.binary.string()};
  words.insert(words.end(), arguments.begin(), arguments.end());
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  std::vector<std::string> variables = {"PATH=/usr/bin:/bin", "HOME=/"};
  variables.insert(variables.end(), qemu.environment.begin(), qemu.environment.end());
  std::vector<char*> environment;
  for (std::string& variable : variables) environment.push_back(variable.data());
  environment.push_back(nullptr);

  const pid_t parent = getpid();
  const pid_t pid = fork();
  if (pid < 0) return fail(system_error("cannot start " + qemu.binary.string(), errno));
  if (pid > 0) return pid;

  // The child: only async-signal-safe calls. Its own process group, so that Ctrl-C reaches vtax alone.
  setpgid(0, 0);
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != parent) _exit(127);
  const int null = open("/dev/null", O_RDONLY);
  dup2(null, 0);
  dup2(output, 1);
  dup2(output, 2);
  for (const int fd : inherited) fcntl(fd, F_SETFD, 0);
  signal(SIGPIPE, SIG_DFL);
  execve(argv[0], argv.data(), environment.data());
  _exit(127);
}

Result<Qemu> qemu_with_libraries(const MachineSpec& spec, bool works_at_once) {
  constexpr std::string_view kPreload = "LD_PRELOAD=";
  std::vector<std::string> names;
  const bool parallel = works_at_once && !spec.real_time;
  if (!spec.real_time) names.emplace_back(kTurns);
  if (parallel) names.emplace_back(kParallelTime);
  if (spec.virtualises) names.emplace_back(kVmrun);
  std::vector<std::string> files;
  for (const std::string& name : names) {
    auto file = find_lab_part(name);
    if (!file) return fail(file.error());
    files.push_back(file->string());
  }
  Qemu qemu = spec.qemu;
  std::erase_if(qemu.environment, [&](const std::string& variable) {
    if (!variable.starts_with(kPreload)) return false;
    files.push_back(variable.substr(kPreload.size()));
    return true;
  });
  if (!files.empty()) qemu.environment.push_back(fmt::format("{}{}", kPreload, fmt::join(files, ":")));
  if (parallel && spec.joint) qemu.environment.push_back(spec.joint->variable());
  if (parallel)
    qemu.environment.push_back(fmt::format("VTAX_PARALLEL={}:{}/{}", spec.time.round, spec.time.speed.ns,
                                           spec.time.speed.instructions));
  return qemu;
}

std::string signal_text(int status, int pid) {
  const char* const name = sigdescr_np(WTERMSIG(status));
  std::string text = fmt::format("signal {} ({})", WTERMSIG(status), name != nullptr ? name : "of no name");
  if (!WCOREDUMP(status)) return text;
  std::string pattern = read_text("/proc/sys/kernel/core_pattern").value_or("unknown");
  while (pattern.ends_with('\n')) pattern.pop_back();
  std::error_code ignored;
  return text + fmt::format("; the core of process {} went to '{}' (the kernel's core_pattern), seen from {}",
                            pid, pattern, std::filesystem::current_path(ignored).string());
}

std::chrono::nanoseconds cpu_time_of(int pid) {
  clockid_t clock{};
  timespec time{};
  if (clock_getcpuclockid(pid, &clock) != 0 || clock_gettime(clock, &time) != 0) return {};
  return std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec);
}

}  // namespace vtax::lab
