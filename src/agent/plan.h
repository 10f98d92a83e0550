#pragma once

#include <chrono>
#include <optional>
#include <string_view>

#include "agent/programs.h"
#include "agent/self_check.h"
#include "core/result.h"
#include "platform/fixed_work.h"
#include "platform/http_work.h"
#include "subject/trial_spec.h"
#include "workload/order.h"

namespace vtax::agent {

// One trial as its controller goes through it: what is asked for, and the orders that follow from it.
struct Plan : TrialSpec {
  Order window, warmup;               // of the first guest
  std::optional<FixedWork> local;     // in place of traffic: direction, offloads, window, warmup
  std::optional<HttpWork> http;       // in place of window and warmup
  bool program = false;               // likewise: server, client and what they need are the TrialSpec's
  bool books = false;                 // Domain-0's and Xen's own CPU times stand in the result (dom0_books.h)
  bool watch = false;                 // the monitor of running computers stands in the result (watch_books.h)
  bool counters = false;              // the kernel's own counts stand in the result (kernel_counters.h)
  std::chrono::microseconds delay{};  // slept before anything is set up: when timers tick in the window
  std::optional<SelfCheck> self_check;    // in place of everything between platform and time_limit
  std::optional<Programs> programs;       // likewise
  std::chrono::nanoseconds time_limit{};  // guest time, from reading the plan to the result
};

// The orders of this trial; without a time limit. Errors (usage): an order that no end would obey.
[[nodiscard]] Result<Plan> plan_for(const TrialSpec& trial);

// The lab's plan (docs/design/architecture.md, "The plan"). Unknown keys, wrong types, impossible values and
// what the lab's machines cannot do are errors that name the key.
[[nodiscard]] Result<Plan> parse_plan(std::string_view json);

// The work of guest 1, 2, ...: its share of the window's or the warm-up's order, and who initiates.
[[nodiscard]] Order order_of_guest(const Order& first, Loads loads, int guest);
[[nodiscard]] bool guest_initiates(const Plan& plan, int guest);

// Guest 1, 2, ..., as Xen counts weights: 256 is a domain's own, Domain-0's too.
[[nodiscard]] int weight_of(GuestWeights weights, int guest);

[[nodiscard]] inline bool has_disk(const Plan& plan) {
  return plan.local && plan.local->kind == FixedWork::Kind::disk;
}

}  // namespace vtax::agent
