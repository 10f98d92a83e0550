#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "meter/perf_counter.h"

namespace vtax::meter {

// Cycles and instructions, as the CPU counts them.
[[nodiscard]] const std::vector<CountedEvent>& hardware_events();

[[nodiscard]] std::string_view name(CpuMode mode);  // "the host's kernel mode"

struct CounterReading {
  struct Row {
    int thread = 0;
    CpuMode mode = CpuMode::user;
    std::vector<std::uint64_t> values;  // in the order of the events; scaled up if the time was shared
    std::uint64_t enabled_ns = 0, running_ns = 0;
  };
  std::vector<Row> rows;
  std::map<CpuMode, std::string> not_seen;  // why
};

// The counters of a trial's threads: for each of them and each mode one counter an event, all of which count
// at the same time. Threads are counted and not whole CPUs: docs/design/host.md. They count from the
// construction on; the descriptors go with this.
//
// A mode is seen of all threads or of none, so that no part of it looks like the whole. A thread that has
// ended is no error.
class ThreadCounters {
 public:
  struct Thread {
    int number = 0;
    bool runs_guest = false;  // a virtual CPU of KVM's
  };
  ThreadCounters(std::vector<CountedEvent> events, const std::vector<Thread>& threads);

  // Since the construction.
  [[nodiscard]] CounterReading read() const;

 private:
  struct Group {
    int thread = 0;
    CpuMode mode = CpuMode::user;
    std::vector<Descriptor> counters;  // one an event
  };
  [[nodiscard]] bool open_group(int thread, CpuMode mode);

  std::vector<CountedEvent> events_;
  std::vector<Group> groups_;
  std::map<CpuMode, std::string> refused_;
};

// Why perf would not open a counter, in words, from its errno.
[[nodiscard]] std::string why_no_counter(int error_number);

// Whether this computer has hardware counters for this user.
struct CounterCheck {
  bool programs = false, kernel = false;  // whether those can be counted
  std::string detail;                     // what there is, or why not
  std::string mend;                       // empty when nothing is to be done
};
[[nodiscard]] CounterCheck examine_hardware_counters();

}  // namespace vtax::meter
