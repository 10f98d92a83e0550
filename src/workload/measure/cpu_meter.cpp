#include "workload/measure/cpu_meter.h"

#include <sys/resource.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <memory>

namespace vtax {
namespace {

std::chrono::nanoseconds of(const timeval& time) {
  return std::chrono::seconds(time.tv_sec) + std::chrono::microseconds(time.tv_usec);
}

std::optional<std::chrono::nanoseconds> machine_busy() {
  const std::unique_ptr<FILE, int (*)(FILE*)> file(std::fopen("/proc/stat", "re"), std::fclose);
  if (!file) return std::nullopt;
  // user nice system idle iowait irq softirq (proc(5)); guests are within user.
  std::array<unsigned long long, 7> ticks{};
  if (std::fscanf(file.get(), "cpu %llu %llu %llu %llu %llu %llu %llu", &ticks[0], &ticks[1], &ticks[2],
                  &ticks[3], &ticks[4], &ticks[5], &ticks[6]) != 7) {
    return std::nullopt;
  }
  const auto busy = ticks[0] + ticks[1] + ticks[2] + ticks[5] + ticks[6];
  const auto per_second = static_cast<unsigned long long>(sysconf(_SC_CLK_TCK));
  return std::chrono::nanoseconds(busy * (1'000'000'000ULL / per_second));
}

// The machine's busy time is read by way of a file, which costs CPU time itself: outside of the process's
// own.
CpuUse own_time(std::optional<std::chrono::nanoseconds> machine) {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return {of(usage.ru_utime), of(usage.ru_stime), machine, static_cast<std::uint64_t>(usage.ru_nvcsw),
          static_cast<std::uint64_t>(usage.ru_nivcsw)};
}

}  // namespace

CpuMeter::CpuMeter() : start_(own_time(machine_busy())) {}

CpuUse CpuMeter::since() const {
  CpuUse now = own_time(std::nullopt);
  now.machine_busy = machine_busy();
  CpuUse use{now.user - start_.user, now.system - start_.system, std::nullopt,
             now.voluntary_switches - start_.voluntary_switches,
             now.involuntary_switches - start_.involuntary_switches};
  if (now.machine_busy && start_.machine_busy) use.machine_busy = *now.machine_busy - *start_.machine_busy;
  return use;
}

}  // namespace vtax
