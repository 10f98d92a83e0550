#pragma once

#include <cstdint>
#include <map>
#include <vector>

#include "meter/cpu_reading.h"
#include "platform/platform.h"

namespace vtax::meter {

// Two or three ticks call the same work all kernel in one run, all program in the next.
inline constexpr std::uint64_t kLeastSampledNs = 4 * kTickNs;

// How far a counter went between two readings; nothing where it was begun anew.
inline std::uint64_t since(std::uint64_t before, std::uint64_t after) {
  return after > before ? after - before : 0;
}

// What is known of a window when it is over.
struct LedgerInput {
  CpuReading before, after;
  std::vector<MeteredProcess> processes;
  // What guest 1, 2, ... says of itself (guest_share.h); who is not in it says nothing.
  std::vector<std::uint64_t> guest_programs_ns;
  std::vector<std::uint64_t> guest_kernels_ns = {};
  // By CPU: softirq time for the trial's packets that no thread of the trial has in its books, since it ran
  // on the back of another thread or of none (softirq_clock.h). Empty where it is not known: it then is in
  // `elsewhere` and `idle`.
  std::map<int, std::uint64_t> packets_ns = {};
  // Of a metered process: what it and its children used that ended between the readings, all of their lives,
  // as it says itself. Without it that is known by ticks.
  struct Awaited {
    std::uint64_t user_ns = 0, system_ns = 0;
  };
  std::map<int, Awaited> awaited = {};
};

}  // namespace vtax::meter
