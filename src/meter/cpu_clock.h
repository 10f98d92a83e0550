#pragma once

#include <chrono>
#include <compare>
#include <cstdint>
#include <map>
#include <vector>

#include "core/descriptor.h"
#include "core/result.h"

namespace vtax::meter {

// A network device; both parts are zero for "none". An index alone means different devices in different
// namespaces. `network_namespace`: the number that readlink(/proc/PID/ns/net) shows.
struct DeviceKey {
  std::uint32_t network_namespace = 0, index = 0;
  auto operator<=>(const DeviceKey&) const = default;
  [[nodiscard]] bool none() const { return index == 0; }
};

enum class ClockMode : std::uint32_t {
  thread,         // what the thread does by itself; thread 0 is idleness
  guest,          // KVM's guest runs on it
  packets,        // a softirq that sends or receives, on its back, with a packet in hand
  other_softirq,  // a timer or tasklet, in which packets may be sent, too
  interrupt,      // an interrupt's handler, on its back
  poll,           // a softirq polls the device through which packets come, with none of them in hand
};

// What one CPU did.
struct ClockKey {
  std::uint32_t thread = 0, process = 0;
  ClockMode mode = ClockMode::thread;
  DeviceKey came, left;         // of softirqs: through which device the packet came, by which it left last
  std::uint32_t interrupt = 0;  // its number
  auto operator<=>(const ClockKey&) const = default;
};

struct ClockedTime {
  ClockKey key;
  int cpu = 0;
  std::uint64_t ns = 0;
  std::uint64_t segments = 0;  // of the packets that came: as many as a card or the kernel had joined
};

// What all CPUs did since the lap before.
struct ClockLap {
  std::chrono::steady_clock::time_point at;  // its end: the mean of the CPUs', of which each has its own
  std::map<int, std::uint64_t> span_ns;      // by CPU
  std::vector<ClockedTime> times;  // in no order; of each CPU they add up to its span, but for what was lost
};

// Divides each CPU's time without a gap into threads, guests, softirqs by packet and by polled device, and
// interrupts, by BPF programs at the tracepoints that docs/design/watch.md names. Exact where ticks are
// samples, by CPU where schedstat has no CPUs, with threads that ended meanwhile.
class CpuClock {
 public:
  // Error: unavailable without the right to load such programs, without the kernel's BTF, on Linux
  // before 5.10, or in a process namespace of its own, where threads have other numbers.
  [[nodiscard]] static Result<CpuClock> start();

  // Each CPU in turn ends its lap and begins the next. Error: as above, if the kernel changes its mind.
  [[nodiscard]] Result<ClockLap> lap();

  [[nodiscard]] bool sees_guests() const { return sees_guests_; }

 private:
  Result<> turn_over(int cpu) const;

  Descriptor states_, control_, sums_[2], turn_over_;
  std::vector<Descriptor> programs_, links_;
  std::size_t possible_cpus_ = 0;
  std::uint32_t epoch_ = 0;
  bool sees_guests_ = false;
  std::map<int, std::uint64_t> turned_ns_;  // when each CPU began its lap
};

}  // namespace vtax::meter
