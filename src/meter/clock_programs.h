#pragma once

#include <linux/bpf.h>

#include <cstdint>
#include <vector>

#include "core/result.h"

// The BPF programs of the CPUs' clock, as they fit the kernel that runs, and what they share with their
// reader.
namespace vtax::meter {

inline constexpr const char* kClockPurpose = "clock what the CPUs do";

// A CPU's state. The thread is not in it, but asked for when its time ends: not every kernel traces every
// switch, and a thread that is remembered would then have its follower's time for as long as no other comes.
struct ClockState {
  std::uint64_t since_ns, turned_ns;
  std::uint32_t mode, came[2], left[2], interrupt;  // interrupt: its number and one
  std::uint32_t epoch;
  std::uint32_t between;   // a poll has no packet in hand
  std::uint32_t sends;     // the softirq is NET_TX
  std::uint32_t segments;  // of the packet in hand
  std::uint32_t frees;     // the interrupt has asked for NET_TX
  std::uint32_t unused;
  std::uint64_t lost_ns;
  std::uint64_t poll_ns;     // of a poll, until its device is known
  std::uint64_t freeing_ns;  // of interrupts, until it is known what they freed
};
static_assert(sizeof(ClockState) == 88);

// Threads and processes are in the kernel's order: pid, tgid.
struct ClockSumKey {
  std::uint32_t thread, process, mode, came[2], left[2], interrupt;
};
static_assert(sizeof(ClockSumKey) == 32);

struct ClockSum {
  std::uint64_t ns, segments;
};

// Descriptors: the CPUs' states (ClockState), the epoch that runs (a number), and each epoch's sums.
struct ClockMaps {
  int states = -1, control = -1, sums[2] = {-1, -1};
};

struct TracepointCode {
  const char* tracepoint;
  std::vector<bpf_insn> code;
};

struct ClockCode {
  std::vector<TracepointCode> host;    // in the order in which they are attached
  std::vector<TracepointCode> guests;  // of KVM's, which may not be there
  std::vector<bpf_insn> turns_over;    // run on each CPU when a lap ends
};

// Error: the kernel says nothing of its types, or has not the ones that are read.
[[nodiscard]] Result<ClockCode> clock_code(const ClockMaps& maps);

}  // namespace vtax::meter
