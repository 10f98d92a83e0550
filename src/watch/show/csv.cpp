#include "watch/show/csv.h"

#include <array>

#include "core/csv_rows.h"
#include "watch/show/figures.h"

namespace vtax::watch {
namespace {

constexpr std::array<std::string_view, 32> kColumns{"number",
                                                    "at",
                                                    "interval_ns",
                                                    "row",
                                                    "name",
                                                    "kind",
                                                    "id",
                                                    "found_by",
                                                    "paused",
                                                    "own_ns",
                                                    "caused_ns",
                                                    "caused_threads_ns",
                                                    "caused_packets_ns",
                                                    "caused_shared_ns",
                                                    "waiting_ns",
                                                    "blocked_ns",
                                                    "switches",
                                                    "exits",
                                                    "busy_so_far_ns",
                                                    "memory_given_bytes",
                                                    "memory_used_bytes",
                                                    "memory_balloon_bytes",
                                                    "received_packets",
                                                    "sent_packets",
                                                    "received_bytes",
                                                    "sent_bytes",
                                                    "drops",
                                                    "disk_reads",
                                                    "disk_writes",
                                                    "disk_read_bytes",
                                                    "disk_written_bytes",
                                                    "virtual_cpus"};

void add(CsvRows& row, const std::optional<std::uint64_t>& value) {
  if (value)
    row << *value;
  else
    row << "";
}

template <class Use, class... Members>
void add_all(CsvRows& row, const std::optional<Use>& use, Members... members) {
  (add(row, use ? std::optional<std::uint64_t>((*use).*members) : std::nullopt), ...);
}

void add_guest(CsvRows& row, const GuestUse& guest) {
  row << "guest" << guest.name << kind_name(guest.kind) << guest.id << guest.found_by
      << (guest.paused ? "1" : "0");
  row << guest.own_ns << guest.caused.total() << guest.caused.threads_ns << guest.caused.packets_ns
      << guest.caused.shared_ns;
  for (const auto& value :
       {guest.waiting_ns, guest.blocked_ns, guest.switches, guest.exits, guest.busy_so_far_ns,
        guest.memory.given_bytes, guest.memory.used_bytes, guest.memory.balloon_bytes})
    add(row, value);
  add_all(row, guest.network, &NetworkUse::received_packets, &NetworkUse::sent_packets,
          &NetworkUse::received_bytes, &NetworkUse::sent_bytes, &NetworkUse::drops);
  add_all(row, guest.disk, &DiskUse::reads, &DiskUse::writes, &DiskUse::read_bytes, &DiskUse::written_bytes);
  add(row,
      guest.virtual_cpus.empty() ? std::nullopt : std::optional<std::uint64_t>(guest.virtual_cpus.size()));
  row.end();
}

}  // namespace

void write_csv_heading(std::ostream& out) {
  CsvRows row(out);
  for (const std::string_view name : kColumns) row << name;
  row.end();
}

void write_csv_rows(const Reading& reading, std::ostream& out) {
  CsvRows row(out);
  row << reading.number << utc_text(reading.at) << static_cast<std::uint64_t>(reading.interval.count());
  row.keep();
  for (const GuestUse& guest : reading.guests) add_guest(row, guest);
  const OtherTime& other = reading.other;
  for (const auto& [part, ns] :
       {std::pair("driver", other.driver_ns), std::pair("uncharged", other.uncharged_ns),
        std::pair("elsewhere", other.elsewhere_ns), std::pair("vtax", other.vtax_ns),
        std::pair("stolen", other.stolen_ns), std::pair("idle", other.idle_ns)}) {
    constexpr std::size_t kBefore = 9, kAfter = kBefore + 1;  // own_ns
    row << part << (part == std::string_view("driver") ? reading.driver : "");
    for (std::size_t empty = 5; empty < kBefore; ++empty) row << "";
    row << ns;
    for (std::size_t empty = kAfter; empty < kColumns.size(); ++empty) row << "";
    row.end();
  }
}

}  // namespace vtax::watch
