#pragma once

#include <chrono>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <vector>

#include "core/json_fields.h"
#include "core/result.h"

namespace vtax::agent {

// An open queue with one server: customers come at set times, whether or not the server is free, and each is
// served for as long as known_work::spin takes for `service_loops` (2 instructions each). They come on one
// CPU, by timers, and are served on another one, which sleeps when nobody waits: what such a queue makes
// customers wait is known from theory, and rests on all that a machine's time is made of.
struct PacedQueue {
  enum class Gaps { constant, exponential };

  std::uint64_t customers = 0;
  std::uint64_t service_loops = 0;
  std::chrono::nanoseconds mean_gap{};
  Gaps gaps = Gaps::constant;

  static constexpr std::uint64_t kMostCustomers = 100'000;

  [[nodiscard]] nlohmann::json to_json() const;
  [[nodiscard]] static Result<PacedQueue> from(const JsonFields& fields);

  // From one customer to the next, the first one's from the start; the same in each call. Exponential ones
  // are drawn by inversion, so that the order of nature's is kept but for the seed.
  [[nodiscard]] std::vector<std::chrono::nanoseconds> arrivals() const;
};

// The mean wait of these arrivals by Lindley's recursion, W' = max(0, W + service - gap) (Lindley 1952), ns.
[[nodiscard]] double lindley_mean_wait_ns(const std::vector<std::chrono::nanoseconds>& gaps,
                                          double service_ns);

// The mean wait of an M/D/1 queue at `load` (0 to below 1) by Pollaczek and Khinchine: load / (2 (1 - load))
// services.
[[nodiscard]] constexpr double md1_mean_wait_ns(double load, double service_ns) {
  return load / (2 * (1 - load)) * service_ns;
}

// Serves them in the window. Each customer is marked as a request of guest 1 when it comes, and as answered
// when its service begins, so that the window's latencies are waits.
[[nodiscard]] Result<nlohmann::json> run_paced_queue(const PacedQueue& queue);

}  // namespace vtax::agent
