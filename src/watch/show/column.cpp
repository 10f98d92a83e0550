#include "watch/show/column.h"

#include <algorithm>

#include "watch/show/figures.h"

namespace vtax::watch {
namespace {

using Interval = std::chrono::nanoseconds;

constexpr std::size_t kShortestName = 11;

std::optional<double> percent_of(const std::optional<std::uint64_t>& ns, Interval interval) {
  return ns ? std::optional(percent(*ns, interval)) : std::nullopt;
}

std::optional<double> rate_of(const std::optional<std::uint64_t>& count, Interval interval) {
  return count ? std::optional(per_second(*count, interval)) : std::nullopt;
}

std::optional<double> amount(const std::optional<std::uint64_t>& count) {
  return count ? std::optional(static_cast<double>(*count)) : std::nullopt;
}

template <std::uint64_t NetworkUse::*member>
std::optional<double> network_rate(const GuestUse& guest, Interval interval) {
  return guest.network ? rate_of((*guest.network).*member, interval) : std::nullopt;
}

template <std::uint64_t DiskUse::*member>
std::optional<double> disk_rate(const GuestUse& guest, Interval interval) {
  return guest.disk ? rate_of((*guest.disk).*member, interval) : std::nullopt;
}

std::string kind_of(const GuestUse& guest) {
  // A paused guest's figures are no idle guest's.
  const std::string_view name = guest.kind == GuestKind::container ? "cont" : kind_name(guest.kind);
  return std::string(name) + (guest.paused ? "*" : "");
}

Column words(std::string_view name, std::string_view heading, std::size_t width, int rank,
             std::string_view meaning, std::string (*word)(const GuestUse&)) {
  return {name, heading, width, rank, meaning, true, nullptr, nullptr, word};
}

Column numbers(std::string_view name, std::string_view heading, std::size_t width, int rank,
               std::string_view meaning, std::optional<double> (*value)(const GuestUse&, Interval),
               std::string (*number)(double)) {
  return {name, heading, width, rank, meaning, false, value, number, nullptr};
}

std::vector<Column> make_columns() {
  using Guest = const GuestUse&;
  return {
      words("guest", "GUEST", kShortestName, 0, "its name; with + where it is cut off",
            [](Guest g) { return g.name; }),
      words("kind", "KIND", 5, 8, "xen, kvm, qemu, uml or cont(ainer); * is paused", kind_of),
      words("found", "FOUND BY", 8, 25, "who named it", [](Guest g) { return g.found_by; }),
      words("id", "ID", 12, 27, "by which the host knows it", [](Guest g) { return g.id; }),
      numbers(
          "own", "OWN%", 5, 2, "its own CPU time",
          [](Guest g, Interval t) -> std::optional<double> { return percent(g.own_ns, t); }, long_percent),
      numbers(
          "caused", "CAUS%", 5, 3, "CPU time that the driver or host spent for it",
          [](Guest g, Interval t) -> std::optional<double> { return percent(g.caused.total(), t); },
          long_percent),
      numbers(
          "sum", "SUM%", 5, 1, "both: what it costs (equation 4.8)",
          [](Guest g, Interval t) -> std::optional<double> { return sum_percent(g, t); }, long_percent),
      numbers(
          "wait", "WAIT", 4, 5, "percent: runnable, but not running",
          [](Guest g, Interval t) { return percent_of(g.waiting_ns, t); }, short_percent),
      numbers(
          "blocked", "BLCK", 4, 9, "percent: with nothing to do",
          [](Guest g, Interval t) { return percent_of(g.blocked_ns, t); }, short_percent),
      numbers(
          "switches", "SW/s", 4, 10, "switches onto a CPU",
          [](Guest g, Interval t) { return rate_of(g.switches, t); }, short_count),
      numbers(
          "exits", "EX/s", 4, 11, "exits from guest to hypervisor",
          [](Guest g, Interval t) { return rate_of(g.exits, t); }, short_count),
      numbers(
          "memory", "MEM", 4, 4, "bytes of memory that it takes now",
          [](Guest g, Interval) { return amount(g.memory.used_bytes); }, short_bytes),
      numbers("received", "RX/s", 4, 6, "bytes received", network_rate<&NetworkUse::received_bytes>,
              short_bytes),
      numbers("sent", "TX/s", 4, 7, "bytes sent", network_rate<&NetworkUse::sent_bytes>, short_bytes),
      numbers("drops", "DR/s", 4, 13, "packets dropped", network_rate<&NetworkUse::drops>, short_count),
      numbers(
          "disk", "DSK", 4, 12, "bytes read from and written to disks, a second",
          [](Guest g, Interval t) {
            return g.disk ? rate_of(g.disk->read_bytes + g.disk->written_bytes, t) : std::nullopt;
          },
          short_bytes),
      numbers("received-packets", "RXP/s", 5, 20, "packets received",
              network_rate<&NetworkUse::received_packets>, short_count),
      numbers("sent-packets", "TXP/s", 5, 21, "packets sent", network_rate<&NetworkUse::sent_packets>,
              short_count),
      numbers("read", "RD/s", 4, 22, "bytes read from disks", disk_rate<&DiskUse::read_bytes>, short_bytes),
      numbers("written", "WR/s", 4, 23, "bytes written to disks", disk_rate<&DiskUse::written_bytes>,
              short_bytes),
      numbers(
          "disk-requests", "RQ/s", 4, 24, "disk requests",
          [](Guest g, Interval t) {
            return g.disk ? rate_of(g.disk->reads + g.disk->writes, t) : std::nullopt;
          },
          short_count),
      numbers(
          "given", "GIVEN", 5, 26, "bytes of memory that it may use",
          [](Guest g, Interval) { return amount(g.memory.given_bytes); }, short_bytes),
      numbers(
          "balloon", "BALLN", 5, 31, "bytes that a balloon took back",
          [](Guest g, Interval) { return amount(g.memory.balloon_bytes); }, short_bytes),
      numbers(
          "threads", "THRD%", 5, 28, "of caused: threads that serve nobody else",
          [](Guest g, Interval t) -> std::optional<double> { return percent(g.caused.threads_ns, t); },
          long_percent),
      numbers(
          "packets", "PACK%", 5, 29, "of caused: softirqs for its packets",
          [](Guest g, Interval t) -> std::optional<double> { return percent(g.caused.packets_ns, t); },
          long_percent),
      numbers(
          "shared", "SHAR%", 5, 30, "of caused: its part of what no rule splits by cause",
          [](Guest g, Interval t) -> std::optional<double> { return percent(g.caused.shared_ns, t); },
          long_percent),
      numbers(
          "virtual-cpus", "VCPU", 4, 32, "virtual CPUs",
          [](Guest g, Interval) {
            return g.virtual_cpus.empty() ? std::nullopt
                                          : std::optional(static_cast<double>(g.virtual_cpus.size()));
          },
          short_count),
  };
}

}  // namespace

const std::vector<Column>& columns() {
  static const std::vector<Column> all = make_columns();
  return all;
}

const Column* column_named(std::string_view name) {
  const auto found =
      std::find_if(columns().begin(), columns().end(), [&](const Column& c) { return c.name == name; });
  return found == columns().end() ? nullptr : &*found;
}

std::string text_of(const Column& column, const GuestUse& guest, std::chrono::nanoseconds interval) {
  if (column.is_word) return column.word(guest);
  const auto value = column.value(guest, interval);
  return value ? column.number(*value) : "-";
}

std::vector<PlacedColumn> columns_within(std::size_t width, std::size_t longest_name) {
  std::vector<const Column*> by_rank;
  for (const Column& column : columns()) by_rank.push_back(&column);
  std::sort(by_rank.begin(), by_rank.end(), [](auto* a, auto* b) { return a->rank < b->rank; });
  std::size_t used = std::min(kShortestName, width);
  int last = 0;
  for (const Column* column : by_rank) {
    if (column->rank == 0) continue;
    // The next in rank, or none: what joins a wider terminal does not come and go as it grows.
    if (used + 1 + column->width > width) break;
    used += 1 + column->width;
    last = column->rank;
  }
  std::vector<PlacedColumn> placed;
  for (const Column& column : columns()) {
    if (column.rank > last) continue;
    const std::size_t name =
        kShortestName + std::min(width - used, longest_name - std::min(longest_name, kShortestName));
    placed.push_back({&column, column.rank == 0 ? std::min(width, name) : column.width});
  }
  return placed;
}

}  // namespace vtax::watch
