#pragma once

#include <chrono>
#include <cstdint>
#include <vector>

#include "core/result.h"
#include "workload/measure/side_report.h"

namespace vtax {

// A background load that takes a set share of a CPU: an integer loop and a sleep in each period.
//
// How the share is held: share_control.h. A machine that has no CPU left to give makes it unreachable; then
// `share_error` says by how much.
struct SoftloadOptions {
  double share = 0.5;  // of one CPU for each thread, 0.01 to 1
  std::uint64_t threads = 1;
  std::vector<int>
      cpus;  // one thread on each, in place of `threads`; empty: wherever the scheduler puts them
  std::chrono::nanoseconds period = std::chrono::milliseconds(10);  // 100 us to 1 s
  std::chrono::nanoseconds duration = std::chrono::seconds(10);

  [[nodiscard]] Result<> check() const;
};

// Metrics: `share` reached, the mean of the threads; `share_error`, reached - asked in points of a hundred
// ("1"). Details: each thread's share, its CPU where it was set, and how late the periods began (`lateness`).
[[nodiscard]] Result<SideReport> run_softload(const SoftloadOptions& options);

}  // namespace vtax
