#pragma once

#include <chrono>
#include <optional>

#include "core/result.h"
#include "subject/trial_spec.h"
#include "workload/orders/fixed_work.h"
#include "workload/orders/http_work.h"
#include "workload/traffic/order.h"

namespace vtax::controller {

// One trial as its controller goes through it: what is asked for, and the orders that follow from it.
struct TrialPlan : TrialSpec {
  Order window, warmup;                   // of the first guest
  std::optional<FixedWork> local;         // in place of traffic: direction, offloads, window, warmup
  std::optional<HttpWork> http;           // in place of window and warmup
  bool program = false;                   // likewise: server, client and what they need are the TrialSpec's
  std::chrono::nanoseconds time_limit{};  // on the trial's own clock, from its plan to its result
};

// The orders of this trial; without a time limit. Errors (usage): an order that no end would obey.
[[nodiscard]] Result<TrialPlan> plan_for(const TrialSpec& trial);

// The work of guest 1, 2, ...: its share of the window's or the warm-up's order, and who initiates.
[[nodiscard]] Order order_of_guest(const Order& first, Loads loads, int guest);
[[nodiscard]] bool guest_initiates(const TrialPlan& plan, int guest);

// Guest 1, 2, ..., as Xen counts weights: 256 is a domain's own, Domain-0's too.
[[nodiscard]] int weight_of(GuestWeights weights, int guest);

[[nodiscard]] inline bool has_disk(const TrialPlan& plan) {
  return plan.local && plan.local->kind == FixedWork::Kind::disk;
}

}  // namespace vtax::controller
