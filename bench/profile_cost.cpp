// What sampling costs: `vtax profile`'s own CPU time and what its samples take in the kernel, by rate, while
// every CPU of this computer is busy.
//
//   profile_cost [SECONDS]     for each rate; 10
//
// As root. Asked: 0.2 % of a CPU at 99 Hz.

#include <fmt/format.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/sysinfo.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <vector>

#include "bench/must.h"
#include "profile/monitor.h"

namespace {

using namespace vtax;
using std::chrono::duration;

// Keeps each CPU busy until it ends: processes, since the monitor's own time is its process's.
class BusyCpus {
 public:
  BusyCpus() {
    for (int cpu = 0; cpu < get_nprocs(); ++cpu) {
      const pid_t child = fork();
      if (child < 0) quit("cannot start a process");
      if (child == 0) be_busy(static_cast<std::size_t>(cpu));
      children_.push_back(child);
    }
  }
  ~BusyCpus() {
    for (const pid_t child : children_) kill(child, SIGKILL);
    for (const pid_t child : children_) waitpid(child, nullptr, 0);
  }
  BusyCpus(const BusyCpus&) = delete;
  BusyCpus& operator=(const BusyCpus&) = delete;

 private:
  [[noreturn]] static void be_busy(std::size_t cpu) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    cpu_set_t own;
    CPU_ZERO(&own);
    CPU_SET(cpu, &own);
    sched_setaffinity(0, sizeof own, &own);
    for (std::atomic<std::uint64_t> turns = 0;;) turns.fetch_add(1, std::memory_order_relaxed);
  }

  std::vector<pid_t> children_;
};

void measure(std::uint64_t hz, std::chrono::seconds seconds) {
  profile::MonitorOptions options;
  options.hz = hz;
  options.duration = seconds;
  options.most_cost = 1;  // whatever it costs
  auto monitor = must(profile::Monitor::open(options));
  if (auto started = monitor.start(); !started) quit(started.error().text());
  monitor.run();
  const profile::MonitorProfile made = monitor.finish();
  const double cpus = static_cast<double>(made.cpus);
  const double window = duration<double>(made.duration).count();
  const double own = duration<double>(made.own_time).count() / window;
  const double in_kernel =
      duration<double>(made.sample_cost).count() * static_cast<double>(made.samples) / window;
  fmt::print("| {} | {:.0f} | {:.1f} us | {:.3f} % | {:.3f} % | {:.3f} % | {} |\n", hz,
             static_cast<double>(made.samples) / window / cpus,
             static_cast<double>(made.sample_cost.count()) / 1e3, 100 * own, 100 * in_kernel / cpus,
             100 * (own + in_kernel) / cpus, made.lost);
  std::fflush(stdout);
}

}  // namespace

int main(int argc, char** argv) {
  const std::chrono::seconds seconds(argc > 1 ? std::max(1, std::atoi(argv[1])) : 10);
  fmt::print(
      "| Hz | samples a second and CPU | a sample, in the kernel | vtax itself, of one CPU | in the kernel, "
      "of "
      "each CPU | both, of each CPU | lost |\n|---|---|---|---|---|---|---|\n");
  const BusyCpus busy;
  for (const std::uint64_t hz : {10U, 49U, 99U, 499U, 997U, 4999U}) measure(hz, seconds);
  return 0;
}
