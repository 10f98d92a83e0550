#include "report/traffic_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>

#include "core/readable.h"
#include "model/capacity.h"
#include "query/cost_text.h"
#include "query/measured.h"
#include "query/phrase.h"

namespace vtax {
namespace {

std::string words_of_kind(std::string_view kind) {
  std::string words = printable(kind);
  std::replace(words.begin(), words.end(), '_', ' ');
  return words;
}

// Events per unit, those that were watched for and did not happen in one list behind them. Absent ones are
// unknown.
std::string events_text(const WindowCost& cost, Unit unit) {
  std::vector<std::string> parts, none;
  for (const auto& [kind, count] : cost.events) {
    if (count == 0) {
      none.push_back(words_of_kind(kind));
      continue;
    }
    parts.push_back(
        fmt::format("{} {}", words_of_kind(kind), readable(per_unit(count, cost.work, unit).value_or(0))));
    const auto packets = cost.events.find("gro_packets");
    if (kind == "napi_polls" && packets != cost.events.end() && packets->second > 0)
      parts.back() += fmt::format(
          " ({} packets each)", readable(static_cast<double>(packets->second) / static_cast<double>(count)));
  }
  std::string text = fmt::format("{}", fmt::join(parts, ", "));
  if (!none.empty()) text += fmt::format("{}none: {}", parts.empty() ? "" : "; ", fmt::join(none, ", "));
  return text;
}

std::string guest_text(const Cell& cell, const GuestWork& guest, Unit unit) {
  const WindowCost& cost = *cell.cost();
  std::string text =
      guest.transactions.value > 0
          ? fmt::format("{} {} {}s", printable(guest.guest), with_thousands(guest.transactions.value),
                        noun(Unit::transaction, cell.workload()))
          : fmt::format("{} {}", printable(guest.guest), readable_bytes(guest.bytes.value));
  text += fmt::format(" in {} ms", readable(static_cast<double>(guest.virtual_ns) * 1e-6));
  if (const auto rate = rate_of(cost, guest))
    text += fmt::format(", {} {}", readable(rate->value), rate_noun(rate->unit, cell.workload()));
  const auto domain = cost.domains.find(guest.guest);
  if (domain == cost.domains.end()) return text;
  const std::uint64_t own = std::accumulate(domain->second.begin(), domain->second.end(), std::uint64_t{0});
  const Work done{guest.bytes, {}, guest.transactions};
  if (const auto each = per_unit(own, done, unit))
    text += fmt::format(" for {} per {}", cost_text(*each, cost.in_time), noun(unit, cell.workload()));
  return text;
}

}  // namespace

std::vector<std::string> traffic_text(const Cell& cell, Unit unit) {
  const WindowCost& cost = *cell.cost();
  std::vector<std::string> out, parts;
  for (const DeviceCount& d : cost.devices) {
    parts.push_back(fmt::format("{} {} in {} out {}", d.side == "peer" ? "peer's" : printable(d.domain),
                                printable(d.device), with_thousands(d.received.value),
                                with_thousands(d.sent.value)));
  }
  if (!cost.devices.empty())  // else nobody counted them
    out.push_back(
        fmt::format("{} packets ({})", with_thousands(cost.work.packets.value), fmt::join(parts, "; ")));
  if (!cost.events.empty())
    out.push_back(fmt::format("per {}: {}", noun(unit, cell.workload()), events_text(cost, unit)));
  return out;
}

std::string guests_text(const Cell& cell, Unit unit) {
  const auto& guests = cell.cost()->guests;
  if (guests.size() < 2) return "";
  std::vector<std::string> parts;
  for (const GuestWork& guest : guests) parts.push_back(guest_text(cell, guest, unit));
  std::string text = fmt::format("{}", fmt::join(parts, "; "));
  if (const auto fairness = fairness_of(guests))
    text += fmt::format("; Jain's fairness index {:.3f}", *fairness);
  return text;
}

std::string drivers_text(const Cell& cell, Unit unit) {
  const WindowCost& cost = *cell.cost();
  std::vector<std::string> parts;
  for (const auto& [domain, layers] : cost.domains) {
    const std::uint64_t driver = layers[static_cast<std::size_t>(Layer::driver)];
    if (driver == 0) continue;
    const std::uint64_t hypervisor = layers[static_cast<std::size_t>(Layer::hypervisor)];
    parts.push_back(fmt::format("{} {} and {} in the hypervisor", printable(domain),
                                cost_text(per_unit(driver, cost.work, unit).value_or(0), cost.in_time),
                                cost_text(per_unit(hypervisor, cost.work, unit).value_or(0), cost.in_time)));
  }
  if (parts.size() < 2) return "";
  return fmt::format("driver per {}: {}", noun(unit, cell.workload()), fmt::join(parts, "; "));
}

}  // namespace vtax
