#include "query/measured.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <utility>

#include "core/readable.h"
#include "query/phrase.h"
#include "query/rate.h"

namespace vtax {
namespace {

std::optional<Spread> spread_of(const std::vector<double>& values) {
  const auto median = lower_median(values);
  if (!median) return std::nullopt;
  const auto [low, high] = std::minmax_element(values.begin(), values.end());
  return Spread{*median, *low, *high, sample_interval(values), values.size()};
}

template <class Value>
std::optional<Spread> spread_over(const Cell& cell, const Value& value_of) {
  std::vector<double> values;
  for (const WindowCost& run : cell.runs)
    if (const std::optional<double> value = value_of(run)) values.push_back(*value);
  return spread_of(values);
}

// The greatest of the guests'.
std::optional<Spread> waiting_of(const Cell& cell, std::uint64_t Waiting::*percentile) {
  return spread_over(cell, [&](const WindowCost& run) -> std::optional<double> {
    if (run.waiting.empty()) return std::nullopt;
    std::uint64_t most = 0;
    for (const Waiting& guest : run.waiting) most = std::max(most, guest.*percentile);
    return static_cast<double>(most);
  });
}

double share_of(const Busy& busy, const WindowCost& run) {
  return run.window_ns == 0 ? 0 : static_cast<double>(busy.ns) / static_cast<double>(run.window_ns);
}

std::string spread_text(const Spread& spread) {
  if (spread.low == spread.high) return readable(spread.median);
  const double low = spread.interval ? spread.interval->range.low : spread.low,
               high = spread.interval ? spread.interval->range.high : spread.high;
  return fmt::format("{} ({} to {})", readable(spread.median), readable(low), readable(high));
}

std::string microseconds(const Spread& spread) {
  constexpr double kNs = 1000;
  return readable(spread.median / kNs);
}

std::string busy_text(const Cell& cell) {
  constexpr double kWorthAWord = 0.01;
  std::vector<std::string> parts;
  for (const BusyShare& one : busy_shares(cell))
    if (one.share.median >= kWorthAWord)
      parts.push_back(
          fmt::format("CPU {} {} {:.0f} %", one.cpu, printable(one.domain), 100 * one.share.median));
  return fmt::format("{}", fmt::join(parts, ", "));
}

// Of the whole window, a second.
template <class Amount>
std::optional<Spread> amount_per_second(const Cell& cell, const Amount& amount_of) {
  return spread_over(cell, [&](const WindowCost& run) -> std::optional<double> {
    const std::uint64_t amount = amount_of(run.work);
    if (amount == 0 || run.window_ns == 0 || !has_own_time(run)) return std::nullopt;
    return static_cast<double>(amount) / (static_cast<double>(run.window_ns) * 1e-9);
  });
}

}  // namespace

bool has_own_time(const WindowCost& cost) {
  return cost.in_time || !cost.busy.empty();
}

bool has_own_time(const Trial& trial) {
  return machine_cpu_ns(trial).has_value() || !trial.busy.empty();
}

std::optional<Spread> payload_rate_of(const Cell& cell) {
  return amount_per_second(cell, [](const Work& work) { return work.bytes.value; });
}

std::optional<Spread> transaction_rate_of(const Cell& cell) {
  return amount_per_second(cell, [](const Work& work) { return work.transactions.value; });
}

std::optional<GuestRate> rate_of(const WindowCost& cost, const GuestWork& guest) {
  if (!has_own_time(cost) || guest.virtual_ns == 0) return std::nullopt;
  const double seconds = static_cast<double>(guest.virtual_ns) * 1e-9;
  if (guest.transactions.value > 0)
    return GuestRate{Unit::transaction, static_cast<double>(guest.transactions.value) / seconds};
  if (guest.bytes.value == 0) return std::nullopt;
  return GuestRate{Unit::kilobyte, static_cast<double>(guest.bytes.value) * 8e-6 / seconds};
}

std::vector<GuestRates> guest_rates_of(const Cell& cell) {
  constexpr double kBytesOfMegabit = 1e6 / 8;
  std::map<std::pair<std::string, Unit>, std::vector<double>> rates;
  for (const WindowCost& run : cell.runs)
    for (const GuestWork& guest : run.guests)
      if (const auto rate = rate_of(run, guest))
        rates[{guest.guest, rate->unit}].push_back(
            rate->unit == Unit::kilobyte ? rate->value * kBytesOfMegabit : rate->value);
  std::vector<GuestRates> out;
  for (const auto& [whose, values] : rates) out.push_back({whose.first, whose.second, *spread_of(values)});
  return out;
}

std::optional<Spread> rate_of(const Cell& cell) {
  return spread_over(cell, [](const WindowCost& run) { return measured_rate(run); });
}

double busiest_share(const WindowCost& run) {
  std::map<int, double> shares;
  double most = 0;
  for (const Busy& busy : run.busy)
    if (busy.domain != "peer") most = std::max(most, shares[busy.cpu] += share_of(busy, run));
  return most;
}

std::vector<BusyShare> busy_shares(const Cell& cell) {
  std::map<std::pair<int, std::string>, std::vector<double>> shares;
  for (const WindowCost& run : cell.runs) {
    if (run.window_ns == 0) continue;
    for (const Busy& busy : run.busy) shares[{busy.cpu, busy.domain}].push_back(share_of(busy, run));
  }
  std::vector<BusyShare> out;
  for (auto& [whose, values] : shares) {
    values.resize(cell.runs.size());  // a run in which it executed nothing
    out.push_back({whose.first, whose.second, *spread_of(values)});
  }
  return out;
}

std::optional<Latency> latency_of(const Cell& cell) {
  const auto p50 = waiting_of(cell, &Waiting::p50_ns);
  if (!p50) return std::nullopt;
  return Latency{*p50, *waiting_of(cell, &Waiting::p90_ns), *waiting_of(cell, &Waiting::p99_ns),
                 *waiting_of(cell, &Waiting::p999_ns), *waiting_of(cell, &Waiting::most_ns)};
}

std::optional<Spread> fairness_of(const Cell& cell) {
  return spread_over(cell, [](const WindowCost& run) { return fairness_of(run.guests); });
}

std::string measured_text(const Cell& cell) {
  const auto rate = rate_of(cell);
  if (!rate || !cell.cost() || cell.cost()->in_time) return "";
  const auto units = units_of(cell.cost()->work);
  std::string text = fmt::format("{} {}", spread_text(*rate), rate_noun(units.front(), cell.workload()));
  if (const auto latency = latency_of(cell))
    text += fmt::format("; latency p50 {} us, p99 {} us, most {} us", microseconds(latency->p50_ns),
                        microseconds(latency->p99_ns), microseconds(latency->most_ns));
  if (const std::string busy = busy_text(cell); !busy.empty()) text += "; busy: " + busy;
  if (const auto fairness = fairness_of(cell)) text += fmt::format("; fairness {:.3f}", fairness->median);
  return text;
}

}  // namespace vtax
