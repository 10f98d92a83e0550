#include "tests/run/vtax_process.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <thread>

#include "machine/parts/package_cache.h"

namespace vtax {
namespace {

namespace fs = std::filesystem;
using std::chrono::milliseconds;

std::string text_of(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

}  // namespace

OwnCache::OwnCache() {
  const auto real = lab::PackageCache::open();
  if (real) fs::create_directory_symlink(real->directory() / "packages", path() / "packages");
}

std::vector<pid_t> OwnCache::emulators() const {
  std::vector<pid_t> found;
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator("/proc", ignored)) {
    const std::string name = entry.path().filename().string();
    if (!std::all_of(name.begin(), name.end(), [](unsigned char c) { return std::isdigit(c) != 0; }))
      continue;
    const std::string command = text_of(entry.path() / "cmdline");
    if (command.find("qemu-system") != std::string::npos &&
        command.find(path().string()) != std::string::npos)
      found.push_back(std::stoi(name));
  }
  return found;
}

bool OwnCache::emulators_are_gone() const {
  for (int i = 0; i < 50; ++i) {
    if (emulators().empty()) return true;
    std::this_thread::sleep_for(milliseconds(100));
  }
  return false;
}

VtaxProcess::VtaxProcess(const std::vector<std::string>& arguments, const OwnCache& cache,
                         const fs::path& directory)
    : log_(cache.path() / "output") {
  std::vector<std::string> words = {VTAX_PROGRAM};
  words.insert(words.end(), arguments.begin(), arguments.end());
  std::vector<char*> argv;
  argv.reserve(words.size() + 1);
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  // Emptied here: what the process before has said must not be taken for this one's words.
  const int log = open(log_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  pid_ = fork();
  if (pid_ != 0) {
    close(log);
    return;
  }
  setenv("VTAX_CACHE", cache.path().c_str(), 1);
  dup2(log, 1);
  dup2(log, 2);
  if (chdir(directory.c_str()) == 0) execv(argv[0], argv.data());
  _exit(127);
}

VtaxProcess::~VtaxProcess() {
  if (pid_ < 0 || code_) return;
  kill(pid_, SIGKILL);
  waitpid(pid_, nullptr, 0);
}

void VtaxProcess::signal(int number) const {
  if (!code_) kill(pid_, number);
}

std::optional<int> VtaxProcess::wait(milliseconds limit) {
  const auto end = std::chrono::steady_clock::now() + limit;
  while (!code_ && std::chrono::steady_clock::now() < end) {
    int status = 0;
    if (waitpid(pid_, &status, WNOHANG) == pid_)
      code_ = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    else
      std::this_thread::sleep_for(milliseconds(5));
  }
  return code_;
}

std::string VtaxProcess::output() const {
  return text_of(log_);
}

}  // namespace vtax
