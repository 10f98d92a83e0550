#include "account/charging.h"

#include <fmt/format.h>

#include <numeric>

namespace vtax {

Result<std::chrono::nanoseconds> busy_time(std::chrono::nanoseconds start, std::chrono::nanoseconds end) {
  if (end >= start) return end - start;
  return fail(Error{"tell a domain's busy time",
                    fmt::format("its counter went from {} to {} ns", start.count(), end.count()),
                    "the domain was started anew between the two readings: read again",
                    ExitCode::trial_failed});
}

Result<ChargedByPackets> charge_by_packets(double driver_cost, const std::vector<std::uint64_t>& packets) {
  const std::uint64_t all = std::accumulate(packets.begin(), packets.end(), std::uint64_t{0});
  if (all == 0)
    return fail(Error{"charge the driver domain's work to guests", "no packet was exchanged with any", "",
                      ExitCode::trial_failed});
  ChargedByPackets out;
  out.per_packet = driver_cost / static_cast<double>(all);
  for (const std::uint64_t own : packets) out.to_guests.push_back(static_cast<double>(own) * out.per_packet);
  return out;
}

double utilisation(double own_cost, double charged_cost, double interval) {
  return (own_cost + charged_cost) / interval;
}

double sampled_busy_seconds(std::uint64_t samples, double cycles, double hertz) {
  return static_cast<double>(samples) * cycles / hertz;
}

}  // namespace vtax
