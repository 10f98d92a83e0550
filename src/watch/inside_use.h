#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

namespace vtax::watch {

struct InsideProcess {
  int number = 0;  // in the guest
  std::string name;
  std::uint64_t busy_ns = 0;
  std::uint64_t threads = 0;
};

// What a guest's agent tells of its inside, which the host cannot see: of an interval of its own, which ends
// about when the reading's does. The guest's word, and no more: nothing else of a reading rests on it.
struct InsideUse {
  std::string missing;  // why nothing is known; empty: the rest is
  std::chrono::nanoseconds interval{};
  std::uint64_t runnable = 0, tasks = 0;  // at its end: tasks that run or wait for a CPU; all tasks
  // How long its CPUs could have run and did not, as its kernel counts it (steal): of Xen's domains nobody
  // else knows it.
  std::uint64_t steal_ns = 0;
  std::vector<InsideProcess> processes;              // the busiest first; as many as the wire takes
  std::uint64_t other_processes = 0, others_ns = 0;  // those that are not among them
};

}  // namespace vtax::watch
