#include "workload/local/compiler_pool.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <memory>

#include "core/descriptor.h"
#include "core/files.h"
#include "core/interruption.h"
#include "core/readable.h"
#include "core/subprocess.h"

namespace vtax {
namespace {

using PoolClock = std::chrono::steady_clock;
constexpr int kPoolNapMs = 20;  // where a process cannot be polled

std::chrono::nanoseconds pool_time(const timeval& time) {
  return std::chrono::seconds(time.tv_sec) + std::chrono::microseconds(time.tv_usec);
}

std::vector<char*> pool_pointers(const std::vector<std::string>& texts) {
  std::vector<char*> out;
  for (const std::string& text : texts) out.push_back(const_cast<char*>(text.c_str()));
  out.push_back(nullptr);
  return out;
}

}  // namespace

CompilerPool::CompilerPool(std::filesystem::path folder, std::vector<std::string> environment)
    : folder_(std::move(folder)), environment_(std::move(environment)) {}

Result<> CompilerPool::start(const Job& job) {
  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
  posix_spawn_file_actions_init(&actions);
  posix_spawnattr_init(&attributes);
  const std::string output = folder_ / job.output;
  posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_addopen(&actions, 1, output.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
  posix_spawn_file_actions_adddup2(&actions, 1, 2);
  posix_spawn_file_actions_addchdir_np(&actions, folder_.c_str());
  posix_spawnattr_setpgroup(&attributes, 0);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP);
  const std::vector<char*> arguments = pool_pointers(job.arguments),
                           environment = pool_pointers(environment_);
  Running one{0, &job, PoolClock::now()};
  const int error = posix_spawn(&one.pid, job.arguments.at(0).c_str(), &actions, &attributes,
                                arguments.data(), environment.data());
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&actions);
  if (error != 0) return fail(system_error("cannot run " + printable(job.arguments.at(0)), error));
  running_.push_back(one);
  return {};
}

Result<> CompilerPool::reap(std::size_t index, bool judge) {
  const Running one = running_[index];
  int status = 0;
  rusage usage{};
  while (wait4(one.pid, &status, 0, &usage) < 0 && errno == EINTR) {
  }
  running_.erase(running_.begin() + static_cast<std::ptrdiff_t>(index));
  used_.user += pool_time(usage.ru_utime);
  used_.system += pool_time(usage.ru_stime);
  used_.voluntary_switches += static_cast<std::uint64_t>(usage.ru_nvcsw);
  used_.involuntary_switches += static_cast<std::uint64_t>(usage.ru_nivcsw);
  latency_.record(static_cast<std::uint64_t>(std::chrono::nanoseconds(PoolClock::now() - one.start).count()));
  if (!judge || (WIFEXITED(status) && WEXITSTATUS(status) == 0)) return {};
  const auto said = read_text(folder_ / one.job->output);
  const std::string how = WIFSIGNALED(status) ? fmt::format("signal {}", WTERMSIG(status))
                                              : fmt::format("exit code {}", WEXITSTATUS(status));
  return fail({fmt::format("{} {} failed", one.job->arguments.front(), one.job->arguments.back()),
               how + (said ? ": " + printable(last_lines(*said, 1), 300) : ""),
               "is the compiler whole, and is there room below TMPDIR?", ExitCode::trial_failed});
}

Result<> CompilerPool::wait_for_one() {
  while (true) {
    if (interrupted()) return fail(interruption_error());
    for (std::size_t i = 0; i < running_.size(); ++i) {
      siginfo_t info{};
      const int known = waitid(P_PID, static_cast<id_t>(running_[i].pid), &info, WEXITED | WNOHANG | WNOWAIT);
      if (known == 0 && info.si_pid != 0) return reap(i, true);
    }
    std::vector<Descriptor> processes;
    std::vector<pollfd> waits{{interruption_fd(), POLLIN, 0}};
    bool all = true;
    for (const Running& one : running_) {
      processes.emplace_back(static_cast<int>(syscall(SYS_pidfd_open, one.pid, 0)));  // Linux 5.3
      all = all && processes.back().valid();
      if (processes.back().valid()) waits.push_back({processes.back().get(), POLLIN, 0});
    }
    poll(waits.data(), waits.size(), all ? -1 : kPoolNapMs);
  }
}

void CompilerPool::end_all() {
  for (const Running& one : running_) kill(-one.pid, SIGKILL);
  while (!running_.empty()) (void)reap(0, false);
}

Result<> CompilerPool::run(const std::vector<Job>& jobs, std::size_t at_once) {
  Result<> result;
  for (std::size_t next = 0; result && (next < jobs.size() || !running_.empty());) {
    if (next < jobs.size() && running_.size() < at_once)
      result = start(jobs[next++]);
    else
      result = wait_for_one();
  }
  end_all();
  return result;
}

}  // namespace vtax
