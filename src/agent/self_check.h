#pragma once

#include <chrono>
#include <optional>
#include <span>
#include <vector>

#include "agent/known_work.h"
#include "agent/paced_queue.h"
#include "core/result.h"
#include "workload/traffic/endpoint_client.h"

// The lab's proof of its own numbers (the plan's workload `self-check`): known work in the window instead of
// traffic. Not a workload of the catalogue; tests/lab asks for it.
namespace vtax::agent {

struct SelfCheck {
  KnownWork work;                   // of the host, or of Domain-0, on CPU 0
  std::vector<KnownWork> guests;    // at the same time in guest 1, 2, ..., each on its own CPU ...
  bool share_cpu = false;           // ... or all on CPU 0 too
  std::optional<PacedQueue> queue;  // instead of all that
};

// Fields of the plan: "work" (an object, KnownWork) and, where there are guests, "guest_work" (an array of
// these) and "share_cpu"; or "queue" alone (PacedQueue).
[[nodiscard]] Result<SelfCheck> self_check_from(const JsonFields& plan);

// Without a guest's part the program never sleeps in the window, so that virtual time advances by what is
// executed and nothing else: the result's "tsc_ticks" is the time from before the first marker to after the
// last.
[[nodiscard]] Result<nlohmann::json> check_alone(const KnownWork& work);

// A result without traffic.
[[nodiscard]] nlohmann::json check_result(std::chrono::nanoseconds window);

[[nodiscard]] Result<nlohmann::json> check_beside_guests(const SelfCheck& check,
                                                         std::span<EndpointClient> guests);

// The guest's order "known-work".
[[nodiscard]] Result<nlohmann::json> obey_known_work(const JsonFields& order);

}  // namespace vtax::agent
