#include "account/waiting.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <numeric>

namespace vtax {
namespace {

// Nearest rank: the smallest value that so many thousandths of all do not exceed.
std::uint64_t percentile(const std::vector<std::uint64_t>& sorted, std::uint64_t thousandths) {
  const std::uint64_t rank = (sorted.size() * thousandths + 999) / 1000;
  return sorted[std::max<std::uint64_t>(rank, 1) - 1];
}

Waiting summary(std::string guest, std::vector<std::uint64_t> values) {
  std::sort(values.begin(), values.end());
  Waiting out{std::move(guest)};
  out.count = values.size();
  out.sum_ns = std::accumulate(values.begin(), values.end(), std::uint64_t{0});
  out.least_ns = values.front();
  out.p50_ns = percentile(values, 500);
  out.p90_ns = percentile(values, 900);
  out.p99_ns = percentile(values, 990);
  out.p999_ns = percentile(values, 999);
  out.most_ns = values.back();
  return out;
}

}  // namespace

Result<std::vector<Waiting>> waiting_of(const ProbeWindow& window, const std::vector<GuestWork>& guests) {
  constexpr std::uint64_t kMostNs = 1ULL << 40;  // 18 minutes: the sum of the most that are kept fits
  std::vector<std::vector<std::uint64_t>> values(guests.size());
  for (const ProbeWindow::Latency& latency : window.latencies) {
    if (latency.guest < 1 || latency.guest > guests.size() || latency.ns > kMostNs)
      return fail({"cannot read the probe's counts",
                   fmt::format("a latency of guest {}: {} ns", latency.guest, latency.ns),
                   "run the trial again", ExitCode::trial_failed});
    values[latency.guest - 1].push_back(latency.ns);
  }
  std::vector<Waiting> out;
  for (std::size_t i = 0; i < guests.size(); ++i)
    if (!values[i].empty()) out.push_back(summary(guests[i].guest, std::move(values[i])));
  return out;
}

}  // namespace vtax
