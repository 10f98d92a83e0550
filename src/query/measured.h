#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/statistics.h"
#include "query/cell.h"

// What a cell's windows show by the machine's clock: rate, busy CPUs, latency, fairness.
namespace vtax {

// A figure of all repetitions of a cell.
struct Spread {
  double median = 0;  // the lower one of an even number
  double low = 0, high = 0;
  std::optional<SampleInterval> interval;
  std::size_t samples = 0;
};

// Whether its window's clock is a real one, of a lab that has a time of its own or of the real host.
[[nodiscard]] bool has_own_time(const WindowCost& cost);
[[nodiscard]] bool has_own_time(const Trial& trial);

// Mb/s of payload, or transactions or packets a second: unit_of_rate() of the work's first unit.
[[nodiscard]] std::optional<Spread> rate_of(const Cell& cell);

// Bytes of payload, and transactions, a second; nothing where there were none.
[[nodiscard]] std::optional<Spread> payload_rate_of(const Cell& cell);
[[nodiscard]] std::optional<Spread> transaction_rate_of(const Cell& cell);

// Of one guest by its own time, in the unit of rate_of().
struct GuestRate {
  Unit unit{};
  double value = 0;
};
[[nodiscard]] std::optional<GuestRate> rate_of(const WindowCost& cost, const GuestWork& guest);

// Of each guest in all repetitions, by its own time, in bytes or transactions a second.
struct GuestRates {
  std::string guest;
  Unit unit{};  // kilobyte: bytes a second
  Spread per_second;
};
[[nodiscard]] std::vector<GuestRates> guest_rates_of(const Cell& cell);

// Share of the window in which a CPU executed for a domain, in all repetitions; by CPU, then by domain.
struct BusyShare {
  int cpu = 0;
  std::string domain;
  Spread share;
};
[[nodiscard]] std::vector<BusyShare> busy_shares(const Cell& cell);

// The share of one window in which the busiest of the system's CPUs executed for anybody; the peer's is none
// of them. 0 where nothing is known of it.
[[nodiscard]] double busiest_share(const WindowCost& run);

// Of each repetition its own percentile over all guests' slowest: the greatest of theirs.
struct Latency {
  Spread p50_ns, p90_ns, p99_ns, p999_ns, most_ns;
};
[[nodiscard]] std::optional<Latency> latency_of(const Cell& cell);

[[nodiscard]] std::optional<Spread> fairness_of(const Cell& cell);

// "1,031 Mb/s (1,022 to 1,045); busy: CPU 0 Domain-0 88 %, CPU 1 peer 99 %, CPU 2 guest1 45 %"; "" where
// nothing is known of the time.
[[nodiscard]] std::string measured_text(const Cell& cell);

}  // namespace vtax
