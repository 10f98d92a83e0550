#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

#include "core/result.h"

namespace vtax {

// CPU time between two readings.
struct CpuUse {
  // Of the calling process, all its threads, from getrusage(2): what the kernel did in its system calls is
  // in, the softirq work that happened to interrupt it is in too, that which ran elsewhere is not.
  std::chrono::nanoseconds user{}, system{};
  // Of the whole machine: everything but idle, I/O wait and stolen time, from /proc/stat (in clock ticks, 10
  // ms). It holds what others did meanwhile. Nothing where /proc is not there.
  std::optional<std::chrono::nanoseconds> machine_busy;
  std::uint64_t voluntary_switches = 0, involuntary_switches = 0;
  bool switches_known = true;  // not where another program reports its CPU time and no more

  [[nodiscard]] std::chrono::nanoseconds process() const { return user + system; }
};

class CpuMeter {
 public:
  CpuMeter();  // reads
  [[nodiscard]] CpuUse since() const;

 private:
  CpuUse start_;
};

}  // namespace vtax
