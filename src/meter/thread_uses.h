#pragma once

#include <cstdint>
#include <map>

#include "meter/ledger_input.h"
#include "meter/metered_thread.h"

namespace vtax::meter {

// Threads that are charged alike: their ticks are few, so they are added up before they are asked.
struct ThreadClass {
  int cpu = 0;
  ThreadKind kind = ThreadKind::host;
  int guest = 1;
  auto operator<=>(const ThreadClass&) const = default;
};

// Nanoseconds between the two readings. What has ended in between is that of a living process of a system or
// partner, or of User Mode Linux's programs; the others' threads come and go outside of windows.
struct ThreadUse {
  std::uint64_t run_ns = 0;
  std::uint64_t user_ns = 0, system_ns = 0, guest_ns = 0;  // sampled, but for what has ended
};
[[nodiscard]] std::map<ThreadClass, ThreadUse> thread_uses(const LedgerInput& input);

}  // namespace vtax::meter
