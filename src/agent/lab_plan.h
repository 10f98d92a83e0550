#pragma once

#include <chrono>
#include <optional>
#include <string_view>

#include "agent/programs.h"
#include "agent/self_check.h"
#include "controller/trial_plan.h"
#include "core/result.h"

namespace vtax::agent {

// One trial in the lab, and what the lab asks for beside it.
struct LabPlan : controller::TrialPlan {
  bool books = false;            // Domain-0's and Xen's own CPU times stand in the result (dom0_books.h)
  bool watch = false;            // the monitor of running computers stands in the result (watch_books.h)
  std::uint64_t profile_hz = 0;  // a sampling profiler stands in the result (profile_books.h); 0: none
  std::chrono::nanoseconds profile_duration{};  // of its sampling
  bool counters = false;                // the kernel's own counts stand in the result (kernel_counters.h)
  std::chrono::microseconds delay{};    // slept before anything is set up: when timers tick in the window
  std::optional<SelfCheck> self_check;  // in place of everything between platform and time_limit
  std::optional<Programs> programs;     // likewise
  bool is_peer = false;                 // likewise: this machine is the peer's (joined_peers.h)
  int seat = 0;  // of several `machines`: 0 is the one whose driver domain is asked (other_machines.h)
};

// The lab's plan (docs/design/architecture.md, "The plan"). Unknown keys, wrong types, impossible values and
// what the lab's machines cannot do are errors that name the key.
[[nodiscard]] Result<LabPlan> parse_plan(std::string_view json);

}  // namespace vtax::agent
