// What looking costs: vtax::watch::Watch with so many guests, each a control group (as LXC makes them) with
// one process in a network namespace of its own that sleeps, or a process that says it is QEMU.
//
//   watch_cost GUESTS [READINGS] [groups|machines]
//
// Prints the time and CPU time of a reading, memory, and its growth over the readings. As root.

#include <fcntl.h>
#include <fmt/format.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include "bench/must.h"
#include "core/kernel_file.h"
#include "meter/group_books.h"
#include "meter/kernel_text.h"
#include "watch/watch.h"

namespace vtax {
namespace {

namespace fs = std::filesystem;

double seconds(clockid_t clock) {
  timespec at{};
  clock_gettime(clock, &at);
  return static_cast<double>(at.tv_sec) + static_cast<double>(at.tv_nsec) * 1e-9;
}

double resident_mebibytes() {
  std::string buffer;
  meter::Words words(meter::read_once(AT_FDCWD, "/proc/self/statm", buffer).value_or(""));
  words.skip(1);
  return static_cast<double>(meter::whole_number<std::uint64_t>(words.next()).value_or(0)) *
         static_cast<double>(getpagesize()) / (1 << 20);
}

// Sleeping guests; they go with the object.
class Guests {
 public:
  Guests(int count, bool machines) {
    const auto mounts = meter::read_group_mounts();
    const auto mount = mounts.contains("cpuacct") ? mounts.at("cpuacct")
                       : mounts.contains("")      ? mounts.at("")
                                                  : "";
    if (mount.empty()) quit("control groups are not mounted");
    for (int i = 0; i < count; ++i) {
      const std::string name = fmt::format("vtax-cost-{}", i);
      if (!machines) {
        folders_.push_back(fs::path(mount) / ("lxc.payload." + name));
        fs::create_directory(folders_.back());
      }
      const pid_t child = fork();
      if (child == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (machines) {
          const char* const arguments[] = {"qemu-system-x86_64", "86400", nullptr};
          execv("/bin/sleep", const_cast<char* const*>(arguments));
          _exit(1);
        }
        if (!write_kernel_file(folders_.back() / "cgroup.procs", std::to_string(getpid()))) _exit(1);
        if (unshare(CLONE_NEWNET) != 0) _exit(1);
        while (true) pause();
      }
      children_.push_back(child);
    }
    sleep(2);
  }
  Guests(const Guests&) = delete;
  Guests& operator=(const Guests&) = delete;
  ~Guests() {
    for (const pid_t child : children_) kill(child, SIGKILL);
    for (const pid_t child : children_) {
      int status = 0;
      waitpid(child, &status, 0);
    }
    sleep(1);
    for (const fs::path& folder : folders_) rmdir(folder.c_str());
  }

 private:
  std::vector<fs::path> folders_;
  std::vector<pid_t> children_;
};

void measure(int count, int readings, bool machines) {
  const Guests guests(count, machines);
  const double start = seconds(CLOCK_MONOTONIC);
  auto watch = must(watch::Watch::start({}));
  fmt::print("{} {}: start {:.1f} ms", count, machines ? "machines" : "groups",
             (seconds(CLOCK_MONOTONIC) - start) * 1e3);
  for (int i = 0; i < 5; ++i) static_cast<void>(must(watch.read()));
  const double memory = resident_mebibytes(), cpu = seconds(CLOCK_PROCESS_CPUTIME_ID);
  std::vector<double> times;
  std::uint64_t lost = 0, number = 5;
  std::size_t seen = 0;
  for (int i = 0; i < readings; ++i) {
    const double before = seconds(CLOCK_MONOTONIC);
    const auto reading = must(watch.read());
    times.push_back(seconds(CLOCK_MONOTONIC) - before);
    if (reading.number != ++number) ++lost;
    seen = reading.guests.size();
  }
  const double spent = (seconds(CLOCK_PROCESS_CPUTIME_ID) - cpu) / readings;
  std::sort(times.begin(), times.end());
  fmt::print(
      ", {} guests seen; a reading: median {:.2f} ms, 99th {:.2f} ms, CPU {:.2f} ms; memory {:.1f} MiB, "
      "after {} "
      "readings {:+.2f} MiB; {} lost\n",
      seen, times[times.size() / 2] * 1e3, times[times.size() * 99 / 100] * 1e3, spent * 1e3, memory,
      readings, resident_mebibytes() - memory, lost);
}

}  // namespace
}  // namespace vtax

int main(int argc, char** argv) {
  if (argc < 2) vtax::quit("watch_cost GUESTS [READINGS] [groups|machines]");
  vtax::measure(std::atoi(argv[1]), argc > 2 ? std::atoi(argv[2]) : 100,
                argc > 3 && std::string_view(argv[3]) == "machines");
}
