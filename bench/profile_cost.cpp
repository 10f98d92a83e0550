// What sampling costs: `vtax profile`'s own CPU time and what its samples take in the kernel, by rate, while
// every CPU of this computer is busy.
//
//   profile_cost [SECONDS]     for each rate; 10
//
// As root. Asked: 0.2 % of a CPU at 99 Hz.

#include <fmt/format.h>
#include <sched.h>
#include <sys/sysinfo.h>

#include <atomic>
#include <chrono>
#include <cstdlib>
#include <thread>
#include <vector>

#include "bench/must.h"
#include "profile/monitor.h"

namespace {

using namespace vtax;
using std::chrono::duration;

// Keeps each CPU busy, in user code with a stack of one function, until it ends.
class BusyCpus {
 public:
  BusyCpus() {
    for (int cpu = 0; cpu < get_nprocs(); ++cpu)
      threads_.emplace_back([this, cpu] {
        cpu_set_t own;
        CPU_ZERO(&own);
        CPU_SET(cpu, &own);
        sched_setaffinity(0, sizeof own, &own);
        while (!ends_.load(std::memory_order_relaxed)) turns_.fetch_add(1, std::memory_order_relaxed);
      });
  }
  ~BusyCpus() {
    ends_ = true;
    for (std::thread& thread : threads_) thread.join();
  }
  BusyCpus(const BusyCpus&) = delete;
  BusyCpus& operator=(const BusyCpus&) = delete;

 private:
  std::atomic<bool> ends_ = false;
  std::atomic<std::uint64_t> turns_ = 0;
  std::vector<std::thread> threads_;
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
  for (const std::uint64_t hz : {10, 49, 99, 499, 997, 4999}) measure(hz, seconds);
  return 0;
}
