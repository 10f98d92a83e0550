#pragma once

#include <chrono>
#include <cstdint>
#include <vector>

#include "core/result.h"

// Charging the driver domain's work to the guests that caused it, as the dissertation does (equations 4.5 to
// 4.9): from counters, without seeing who caused what. A cost is in any one unit: CPU nanoseconds,
// instructions, cycles. docs/benchmarks.md, "Charging by packets", has the error against exact ledgers.
namespace vtax {

// 4.5: B = M_end - M_start, the busy time between two readings of a counter. Error: it ran backwards.
[[nodiscard]] Result<std::chrono::nanoseconds> busy_time(std::chrono::nanoseconds start,
                                                         std::chrono::nanoseconds end);

struct ChargedByPackets {
  double per_packet = 0;          // 4.6: B_page = B(Dom_0) / N(Dom_0)
  std::vector<double> to_guests;  // 4.7: B_0(Dom_i) = N(Dom_i) B_page; adds up to the driver's cost
};

// `packets` exchanged with each guest, N(Dom_i), in both directions; N(Dom_0) is their sum. Error: no packet
// was exchanged, so that nobody can be charged.
[[nodiscard]] Result<ChargedByPackets> charge_by_packets(double driver_cost,
                                                         const std::vector<std::uint64_t>& packets);

// 4.8: U(Dom_i) = (B(Dom_i) + B_0(Dom_i)) / T, in CPUs. `interval` above zero.
[[nodiscard]] double utilisation(double own_cost, double charged_cost, double interval);

// 4.9: B(Dom_i) = s_i C / F, in seconds: `samples` were taken, one every `cycles` cycles of a clock of
// `hertz` > 0.
[[nodiscard]] double sampled_busy_seconds(std::uint64_t samples, double cycles, double hertz);

}  // namespace vtax
