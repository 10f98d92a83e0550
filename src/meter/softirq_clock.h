#pragma once

#include <cstdint>
#include <map>
#include <vector>

#include "core/descriptor.h"
#include "core/result.h"

namespace vtax::meter {

// How long the kernel worked for packets in softirqs, by BPF programs at the tracepoints softirq_entry,
// softirq_exit, netif_receive_skb and net_dev_start_xmit: exact, where /proc/stat samples at ticks. The time
// goes to the network namespace of the packet that was worked on, and so to the trial whose namespaces these
// are; until the first packet of a softirq, to that packet's. A softirq runs on the back of whatever thread
// is there: time on the backs of the caller's process namespace is told apart, for the books of those threads
// hold it already.
//
// The programs are of a dozen instructions each and written as such: neither clang nor libbpf is needed to
// build or run them. They go with the descriptors.
class SoftirqClock {
 public:
  // Error: unavailable without the right to load such programs, or without the kernel's BTF.
  [[nodiscard]] static Result<SoftirqClock> start();

  struct Key {
    // Of the process namespace in which start() was called, or of the kernel, with a name that begins with
    // "vhost-".
    bool on_own_thread = false;
    std::uint32_t network_namespace =
        0;  // the number that readlink(/proc/PID/ns/net) shows; 0: no packet came
    auto operator<=>(const Key&) const = default;
  };
  // Nanoseconds since start(), by CPU.
  [[nodiscard]] Result<std::map<Key, std::vector<std::uint64_t>>> read() const;

 private:
  Descriptor states_, sums_;
  std::vector<Descriptor> programs_, links_;
  std::size_t possible_cpus_ = 0;
};

}  // namespace vtax::meter
