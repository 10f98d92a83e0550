#include "tests/host/traces.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <thread>

#include "platform/xenstore.h"

namespace vtax {
namespace {

namespace fs = std::filesystem;

std::string text_of(const fs::path& file) {
  std::ifstream in(file);
  return {std::istreambuf_iterator<char>(in), {}};
}

void add_children(int process, std::set<std::string>& all) {
  std::error_code error;
  for (const auto& task : fs::directory_iterator(fmt::format("/proc/{}/task", process), error)) {
    std::ifstream children(task.path() / "children");
    for (int child = 0; children >> child;) {
      all.insert(fmt::format("process {} {}", child, text_of(fmt::format("/proc/{}/comm", child))));
      add_children(child, all);
    }
  }
}

enum class Which { all, of_vtax_and_guests, of_guests };

// Entries of a folder, as far as they are of the kinds that vtax and its guests make.
void add_entries(const fs::path& folder, Which which, std::set<std::string>& all) {
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(folder, error)) {
    const std::string name = entry.path().filename().string();
    const auto has = [&](const char* part) { return name.find(part) != std::string::npos; };
    if (which == Which::all || has("uml") || has("vm_file") || has("qemu") ||
        (which == Which::of_vtax_and_guests && has("vtax")))
      all.insert("file " + entry.path().string());
  }
}

}  // namespace

void take_in_orphans() {
  prctl(PR_SET_CHILD_SUBREAPER, 1);
}

std::set<std::string> traces() {
  std::set<std::string> all;
  add_children(getpid(), all);
  // Others' links and mounts come and go; vtax's have its name, or are the namespaces' whole content.
  add_entries("/sys/class/net", Which::of_vtax_and_guests, all);
  std::ifstream mounts("/proc/self/mounts");
  for (std::string line; std::getline(mounts, line);) all.insert("mount " + line);
  std::error_code error;
  for (fs::recursive_directory_iterator entry("/sys/fs/cgroup", error), end; !error && entry != end;
       entry.increment(error)) {
    if (entry->is_directory(error) && entry->path().filename().string().find("vtax") != std::string::npos)
      all.insert("control group " + entry->path().string());
    if (entry.depth() > 4) entry.disable_recursion_pending();
  }
  // Whoever sets TMPDIR has a folder of his own; the others then have other vtaxes' files.
  const char* temporary = std::getenv("TMPDIR");
  for (const char* folder : {"/tmp", "/dev/shm", "/run"})
    add_entries(folder, temporary == nullptr ? Which::of_vtax_and_guests : Which::of_guests, all);
  if (temporary != nullptr) add_entries(temporary, Which::all, all);
  if (access("/proc/xen/capabilities", F_OK) == 0)
    if (auto store = Xenstore::open())
      if (const auto domains = store->list("/local/domain"))
        for (const std::string& domain : *domains) all.insert("domain " + domain);
  if (const char* home = std::getenv("HOME")) {
    add_entries(home, Which::of_vtax_and_guests, all);
    add_entries(std::string(home) + "/.uml", Which::all, all);
  }
  return all;
}

std::set<std::string> left_behind(const std::set<std::string>& before, std::chrono::milliseconds patience) {
  const auto deadline = std::chrono::steady_clock::now() + patience;
  while (true) {
    while (waitpid(-1, nullptr, WNOHANG) > 0) {
    }
    const auto now = traces();
    std::set<std::string> added;
    std::set_difference(now.begin(), now.end(), before.begin(), before.end(),
                        std::inserter(added, added.end()));
    if (added.empty() || std::chrono::steady_clock::now() > deadline) return added;
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
}

void start_and_kill(std::vector<std::string> words, const fs::path& folder, std::chrono::milliseconds after) {
  std::vector<char*> arguments;
  for (std::string& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  const pid_t child = fork();
  if (child == 0) {
    const int null = open("/dev/null", O_RDWR);
    for (const int fd : {0, 1, 2}) dup2(null, fd);
    if (chdir(folder.c_str()) == 0) execv(arguments.front(), arguments.data());
    _exit(127);
  }
  std::this_thread::sleep_for(after);
  kill(child, SIGKILL);
}

}  // namespace vtax
