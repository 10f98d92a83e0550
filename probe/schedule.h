#pragma once

// Who was current on which CPU from when to when, by the hypervisor's own switches, in the open window.

#include <algorithm>
#include <cstdint>
#include <unordered_map>
#include <vector>

#include "contexts.h"
#include "cpu.h"
#include "format.h"

namespace vtax::probe {

class Schedule {
 public:
  struct Entry {
    const ContextTable* context;
    std::int64_t begin_ns, end_ns;  // since the window's begin
    std::int64_t woke_ns;           // likewise; kNeverWoke: it wanted to run all along
  };

  void begin(const Cpu* cpus, int count, std::int64_t now_ns) {
    stays_.clear();
    left_out_ = 0;
    begin_ns_ = now_ns;
    is_open_ = true;
    for (int i = 0; i < count; ++i) current_[i] = {cpus[i].context, now_ns, kNeverWoke};
  }

  // The CPU executes for that context from now on.
  void switched(int cpu, const ContextTable* to, std::int64_t now_ns) {
    Current& current = current_[cpu];
    if (current.context != nullptr) {
      keep(current, now_ns);
      vcpus_[current.context->vcpu].left_ns = now_ns;
    }
    Vcpu& next = vcpus_[to->vcpu];
    const bool slept = next.woke_ns > next.left_ns;
    current = {to, now_ns, slept ? next.woke_ns : kNeverWoke};
    next.woke_ns = kNeverWoke;
  }

  void woke(std::uint64_t vcpu, std::int64_t now_ns) { vcpus_[vcpu].woke_ns = now_ns; }

  // All that still run do so until now.
  void end(std::int64_t now_ns) {
    for (Current& current : current_)
      if (current.context != nullptr) keep(current, now_ns);
    is_open_ = false;
  }

  [[nodiscard]] const std::vector<Entry>& stays() const { return stays_; }
  [[nodiscard]] std::uint64_t left_out() const { return left_out_; }

 private:
  struct Current {
    const ContextTable* context = nullptr;
    std::int64_t since_ns = 0;
    std::int64_t woke_ns = kNeverWoke;
  };
  struct Vcpu {
    std::int64_t left_ns = kNeverWoke, woke_ns = kNeverWoke;
  };

  // CPUs may be a round apart, so one may be ahead of the window's end, or behind its begin.
  void keep(const Current& current, std::int64_t now_ns) {
    const std::int64_t from = current.since_ns - begin_ns_, to = now_ns - begin_ns_;
    if (!is_open_ || to <= std::max<std::int64_t>(from, 0)) return;
    if (stays_.size() == kMostStays) {
      ++left_out_;
      return;
    }
    const bool woke = current.woke_ns != kNeverWoke && current.woke_ns >= begin_ns_;
    stays_.push_back({current.context, std::max<std::int64_t>(from, 0), to,
                      woke ? current.woke_ns - begin_ns_ : kNeverWoke});
  }

  Current current_[kMaxCpus];
  std::unordered_map<std::uint64_t, Vcpu> vcpus_;  // by the hypervisor's pointer
  std::vector<Entry> stays_;
  std::uint64_t left_out_ = 0;
  std::int64_t begin_ns_ = 0;
  bool is_open_ = false;
};

}  // namespace vtax::probe
