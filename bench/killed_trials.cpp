#include "bench/killed_trials.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>
#include <span>
#include <sstream>
#include <thread>
#include <vector>

#include "bench/must.h"
#include "core/descriptor.h"
#include "core/kernel_file.h"
#include "machine/host/host_trial.h"
#include "machine/host/xen_keeper.h"
#include "platform/placement.h"
#include "platform/xenstore.h"

namespace vtax {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

// What a domain leaves where it could: in Xen, in xenstore, in the kernel, among the processes, on disk.
class Leftovers {
 public:
  explicit Leftovers(host::XenToolstack toolstack) : toolstack_(std::move(toolstack)) { before_ = look(); }

  // What there is now that was not there before.
  [[nodiscard]] std::vector<std::string> find() const {
    std::vector<std::string> left;
    const std::set<std::string> now = look();
    std::set_difference(now.begin(), now.end(), before_.begin(), before_.end(), std::back_inserter(left));
    return left;
  }

 private:
  [[nodiscard]] std::set<std::string> look() const {
    while (waitpid(-1, nullptr, WNOHANG) > 0) {  // as a distribution's init does
    }
    std::set<std::string> found;
    const std::string domains = must(host::run_xl(toolstack_, {"list"}, std::chrono::seconds(20)));
    std::istringstream lines(domains);
    for (std::string line; std::getline(lines, line);)
      found.insert("xl list: " + line.substr(0, line.find(' ')));
    auto store = must(Xenstore::open());
    for (const char* path : {"/local/domain", "/local/domain/0", "/local/domain/0/backend/vif",
                             "/local/domain/0/backend", "/local/domain/0/device-model", "/libxl", "/vm"})
      if (const auto names = store.list(path))
        for (const std::string& name : *names)
          if (name != "device-model")  // libxl's, in which nothing stays
            found.insert(fmt::format("xenstore: {}/{}", path, name));
    for (const char* folder : {"/var/lib/xen", "/var/log/xen", "/run/xen", "/tmp", "/dev/shm",
                               "/sys/class/net", "/sys/bus/xen-backend/devices"}) {
      std::error_code error;
      for (const auto& entry : fs::directory_iterator(folder, error))
        if (entry.path().filename() != "domid-history")  // libxl's, of all domains that ever were
          found.insert(entry.path().string());
    }
    for (const pid_t process : processes_named("")) {
      const std::string folder = fmt::format("/proc/{}/", process);
      std::error_code error;
      if (process != getpid() && !fs::read_symlink(folder + "exe", error).empty())  // no thread of the kernel
        found.insert(fmt::format("process: {} {}", process, read_kernel_file(folder + "comm").value_or("")));
    }
    std::ifstream mounts("/proc/self/mounts");
    for (std::string line; std::getline(mounts, line);) found.insert("mount: " + line);
    return found;
  }

  host::XenToolstack toolstack_;
  std::set<std::string> before_;
};

using Clock = std::chrono::steady_clock;

// When a trial is killed, and whether who takes its domains down is killed with it.
struct Kill {
  int after_ms;
  bool keeper_too;
  bool always;                 // in the test too
  bool once_measures = false;  // counted from when the guest has booted
};
constexpr Kill kAllKills[] = {{20, false, false},    {300, false, true},   {800, false, false},
                              {1500, false, false},  {4000, false, false}, {8000, false, false},
                              {10500, false, false}, {11500, false, true}, {13000, false, false},
                              {600, true, false},    {5000, true, false},  {11500, true, true}};

// A fully virtualised guest takes minutes to boot, and without a keeper many more until it has gone: its QEMU
// turns in a loop on the CPU that it shares with the guest.
constexpr Kill kEmulatedKills[] = {
    {2500, false, true}, {10000, false, false}, {1000, false, false, true}, {1000, true, false, true}};

// A trial in a process of its own, which says its steps, and the error with which it ends.
class RunningTrial {
 public:
  RunningTrial(const Trial& trial, const std::map<PlatformId, host::GuestParts>& guests) {
    int steps[2];
    if (pipe2(steps, O_CLOEXEC | O_NONBLOCK) != 0) quit("cannot make a pipe");
    steps_ = Descriptor(steps[0]);
    Descriptor says(steps[1]);
    process_ = fork();
    if (process_ != 0) return;
    Trial own = trial;
    const auto say = [&](const std::string& now) {
      static_cast<void>(!write(says.get(), (now + "\n").data(), now.size() + 1));
    };
    const auto done = host::run_host_trial(own, guests, say);
    if (!done) say(done.error().text());
    _exit(0);
  }

  void wait_until_it_measures() {
    for (int tries = 0; tries < 9000 && said().find("measuring") == std::string::npos; ++tries) {
      if (has_ended()) return;
      std::this_thread::sleep_for(std::chrono::milliseconds(100));
    }
  }

  bool has_ended() {
    if (process_ > 0 && waitpid(process_, nullptr, WNOHANG) == process_) process_ = -1;
    return process_ < 0;
  }

  void kill() {
    if (process_ < 0) return;
    ::kill(process_, SIGKILL);
    waitpid(process_, nullptr, 0);
    process_ = -1;
  }

  const std::string& said() {
    char text[4096];
    for (ssize_t got; (got = read(steps_.get(), text, sizeof text)) > 0;)
      said_.append(text, static_cast<std::size_t>(got));
    return said_;
  }

 private:
  pid_t process_ = -1;
  Descriptor steps_;
  std::string said_;
};

}  // namespace

json kill_trials(const Trial& trial, const std::map<PlatformId, host::GuestParts>& guests, bool every) {
  constexpr std::chrono::seconds kMost{20}, kMostWithoutKeeper{300};
  prctl(PR_SET_CHILD_SUBREAPER, 1);
  const Leftovers leftovers(guests.begin()->second.toolstack);
  json kills = json::array();
  const auto moments = has_device_model(guests.begin()->first) ? std::span<const Kill>(kEmulatedKills)
                                                               : std::span<const Kill>(kAllKills);
  for (const auto& [after_ms, keeper_too, always, once_measures] : moments) {
    if (!always && !every) continue;
    RunningTrial running(trial, guests);
    if (once_measures) running.wait_until_it_measures();
    std::this_thread::sleep_for(std::chrono::milliseconds(after_ms));
    if (keeper_too)
      for (const pid_t keeper : processes_named(host::kXenKeeperName)) kill(keeper, SIGKILL);
    running.kill();
    const std::vector<std::string> at_once = leftovers.find();
    std::vector<std::string> left = at_once;
    const auto killed = Clock::now();
    while (!left.empty() && Clock::now() - killed < (keeper_too ? kMostWithoutKeeper : kMost)) {
      // Looking costs an emulated CPU much.
      std::this_thread::sleep_for(std::chrono::milliseconds(keeper_too ? 5000 : 300));
      left = leftovers.find();
    }
    const auto took = std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - killed);
    kills.push_back({{"after_ms", after_ms},
                     {"keeper_too", keeper_too},
                     {"once_measures", once_measures},
                     {"steps", running.said()},
                     {"at_once", at_once},
                     {"clean_after_ms", took.count()},
                     {"left", left}});
  }
  return kills;
}

json destroy_in_trial(const Trial& trial, const std::map<PlatformId, host::GuestParts>& guests) {
  constexpr std::chrono::seconds kMost{30};
  const host::XenToolstack& toolstack = guests.begin()->second.toolstack;
  RunningTrial running(trial, guests);
  running.wait_until_it_measures();
  std::istringstream domains(must(host::run_xl(toolstack, {"list"}, std::chrono::seconds(20))));
  std::string name;
  for (std::string line; std::getline(domains, line);)
    if (line.starts_with("vtax-")) name = line.substr(0, line.find(' '));
  if (name.empty()) quit("the trial has no domain: " + running.said());
  if (auto done = host::run_xl(toolstack, {"destroy", name}, std::chrono::seconds(20)); !done)
    quit(done.error().text());
  const auto destroyed = Clock::now();
  while (!running.has_ended() && Clock::now() - destroyed < kMost)
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  const auto took = std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - destroyed);
  running.kill();
  return {{"ended_after_ms", took.count()}, {"said", running.said()}};
}

int print_destroyed(const json& destroyed) {
  constexpr int kAtOnceMs = 5000;
  const std::string said = destroyed.value("said", "");
  const bool right = destroyed.value("ended_after_ms", kAtOnceMs) < kAtOnceMs &&
                     said.find("guest1: its domain has ended") != std::string::npos;
  fmt::print("\nA trial whose domain is destroyed ends after {:.1f} s{}\n",
             destroyed.value("ended_after_ms", 0) / 1e3, right ? ", and says so" : "; it says: " + said);
  return right ? 0 : 1;
}

int print_kills(const json& kills) {
  int unclean = 0;
  fmt::print("\n| killed after, s | who | left at once | nothing left after, s |\n|---|---|---|---|\n");
  for (const json& one : kills) {
    const bool clean = one["left"].empty();
    if (!clean) ++unclean;
    fmt::print("| {}{:.2f} | {} | {} | {} |\n", one.value("once_measures", false) ? "boot + " : "",
               one.value("after_ms", 0) / 1e3,
               one.value("keeper_too", false) ? "vtax and its keeper" : "vtax", one["at_once"].size(),
               clean ? fmt::format("{:.1f}", one.value("clean_after_ms", 0) / 1e3) : one["left"].dump());
    fmt::print(stderr, "{}\n", one.dump());
  }
  std::fflush(stdout);
  return unclean;
}

}  // namespace vtax
