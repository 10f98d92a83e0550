#include "workload/http/testing/peer_program.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <thread>
#include <utility>

namespace vtax::http {
namespace {

std::chrono::nanoseconds time_of(const timeval& time) {
  return std::chrono::seconds(time.tv_sec) + std::chrono::microseconds(time.tv_usec);
}

std::string text_of(const std::filesystem::path& file) {
  const std::ifstream in(file, std::ios::binary);
  std::stringstream text;
  text << in.rdbuf();
  return text.str();
}

}  // namespace

std::optional<std::string> find_program(const std::string& name) {
  const char* path = std::getenv("PATH");
  std::stringstream folders(std::string(path == nullptr ? "" : path) + ":/usr/local/sbin:/usr/sbin:/usr/bin");
  for (std::string folder; std::getline(folders, folder, ':');) {
    const std::string file = folder + "/" + name;
    if (!folder.empty() && access(file.c_str(), X_OK) == 0) return file;
  }
  return std::nullopt;
}

Result<PeerProgram> PeerProgram::start(const std::vector<std::string>& arguments, int cpu) {
  std::string output = (std::filesystem::temp_directory_path() / "vtax-peer-XXXXXX").string();
  const int fd = mkostemp(output.data(), O_CLOEXEC);
  if (fd < 0) return fail(system_error("cannot start " + arguments[0], errno));
  std::vector<char*> argv;
  for (const std::string& argument : arguments) argv.push_back(const_cast<char*>(argument.c_str()));
  argv.push_back(nullptr);
  const pid_t pid = fork();
  if (pid == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (cpu >= 0) {
      cpu_set_t set;
      CPU_ZERO(&set);
      CPU_SET(static_cast<std::size_t>(cpu), &set);
      sched_setaffinity(0, sizeof set, &set);
    }
    dup2(fd, STDOUT_FILENO);
    dup2(fd, STDERR_FILENO);
    execv(argv[0], argv.data());
    _exit(127);
  }
  const int error = errno;
  close(fd);
  if (pid < 0) return fail(system_error("cannot start " + arguments[0], error));
  return PeerProgram(pid, output);
}

PeerProgram::PeerProgram(PeerProgram&& other) noexcept
    : pid_(std::exchange(other.pid_, -1)), output_(std::move(other.output_)), end_(std::move(other.end_)) {
  other.output_.clear();
}

PeerProgram::~PeerProgram() {
  if (pid_ > 0 && !end_) {
    kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
  }
  std::error_code ignored;
  if (!output_.empty()) std::filesystem::remove(output_, ignored);
}

std::chrono::nanoseconds PeerProgram::cpu() const {
  // The first number of schedstat is the time on a CPU in ns (sched-stats in the kernel's documentation).
  std::chrono::nanoseconds sum{};
  std::error_code error;
  for (const auto& task :
       std::filesystem::directory_iterator("/proc/" + std::to_string(pid_) + "/task", error)) {
    std::ifstream in(task.path() / "schedstat");
    std::int64_t on_cpu = 0;
    if (in >> on_cpu) sum += std::chrono::nanoseconds(on_cpu);
  }
  return sum;
}

void PeerProgram::signal(int number) const {
  if (!end_) kill(pid_, number);
}

bool PeerProgram::says(const std::string& text, std::chrono::seconds longest) {
  const auto limit = std::chrono::steady_clock::now() + longest;
  for (; std::chrono::steady_clock::now() < limit;
       std::this_thread::sleep_for(std::chrono::milliseconds(10))) {
    const bool over = ended();
    if (output().find(text) != std::string::npos) return !over;
    if (over) return false;
  }
  return false;
}

bool PeerProgram::ended() {
  if (end_) return true;
  int status = 0;
  rusage usage{};
  if (wait4(pid_, &status, WNOHANG, &usage) != pid_) return false;
  end_ = End{WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status), text_of(output_),
             time_of(usage.ru_utime) + time_of(usage.ru_stime)};
  return true;
}

PeerProgram::End PeerProgram::wait(std::chrono::seconds longest) {
  const auto limit = std::chrono::steady_clock::now() + longest;
  while (!ended()) {
    if (std::chrono::steady_clock::now() > limit) kill(pid_, SIGKILL);
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  return *end_;
}

std::string PeerProgram::output() const {
  return text_of(output_);
}

}  // namespace vtax::http
