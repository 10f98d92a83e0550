#pragma once

#include "core/result.h"
#include "platform/platform.h"
#include "core/json_fields.h"

namespace vtax::agent {

// Xen's schedulers; the last two know neither weights nor caps.
enum class Scheduler { credit2, credit, rtds, null };

// Of the guests, for the scheduler: alike, or each half of the one before.
enum class GuestWeights { equal, halving };

// What a plan says of the driver domain and of the guests' shares of the machine. All of it may be left out.
struct DriverPlacement {
  Forwarding forwarding = Forwarding::bridge;
  int domains = 0;  // besides Domain-0, that have the cards; 0: Domain-0 has them
  int cards = 1;    // of the system, each with a wire of its own
  DriverInterrupts interrupts = DriverInterrupts::apart;
  Scheduler scheduler = Scheduler::credit2;  // with which the machine was booted
  GuestWeights weights = GuestWeights::equal;
  int cap_percent = 0;  // of a CPU, the most for each guest; 0: no cap
  int balloon_mib = 0;  // of memory that each guest keeps; 0: all that it was booted with
};
[[nodiscard]] Result<DriverPlacement> driver_placement_from(const JsonFields& plan);

// Guest 1, 2, ... of this plan, as Xen counts weights: 256 is a domain's own, Domain-0's too.
[[nodiscard]] int weight_of(GuestWeights weights, int guest);

}  // namespace vtax::agent
