#pragma once

#include <cstdint>
#include <optional>
#include <tl/expected.hpp>

#include "core/descriptor.h"
#include "core/result.h"

namespace vtax::meter {

// A number that perf counts of a thread (perf_event_open(2)).
struct CountedEvent {
  std::uint32_t type = 0;    // PERF_TYPE_...
  std::uint64_t config = 0;  // PERF_COUNT_...
  const char* kind = "";     // its name in the ledger
};

// Where the CPU was when it counted. user and kernel are the host's; `host` is both of them in one counter.
enum class CpuMode { user, kernel, host, guest_user, guest_kernel };

// Counts from now on: of the thread, and of every thread and process that it starts from now on. With a
// `leader` it counts at the same times as that one. Error: errno of the call.
[[nodiscard]] tl::expected<Descriptor, int> open_counter(const CountedEvent& event, CpuMode mode, int thread,
                                                         int leader = -1);

// `running_ns` below `enabled_ns`: there were more counters than the CPU has, and this one waited for its
// turn. Both go on only while the thread runs.
struct CounterValue {
  std::uint64_t value = 0, enabled_ns = 0, running_ns = 0;
};
// Error: perf gave less, or more, than that.
[[nodiscard]] Result<CounterValue> read_counter(int descriptor);

// What it would have counted without waiting; an estimate where it waited. Nothing where it never counted.
[[nodiscard]] std::optional<std::uint64_t> without_waiting(const CounterValue& counter);

}  // namespace vtax::meter
