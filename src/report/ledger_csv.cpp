#include "report/ledger_csv.h"

#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "core/csv_rows.h"
#include "query/measured.h"

namespace vtax {
namespace {

struct MeasuredRow {
  std::optional<int> cpu;
  std::string_view domain;
  std::string kind;
  std::uint64_t value = 0;
};

// What the window shows by the machine's clock, as rows without a layer.
std::vector<MeasuredRow> measured_rows(const Trial& trial) {
  std::vector<MeasuredRow> rows;
  if (!has_own_time(trial)) return rows;
  rows.push_back({{}, "", "window_ns", trial.window_virtual_ns});
  for (const Busy& one : trial.busy) rows.push_back({one.cpu, one.domain, "busy_ns", one.ns});
  for (const GuestWork& guest : trial.guests)
    for (const auto& [kind, value] :
         {std::pair("guest_bytes", guest.bytes.value),
          std::pair("guest_transactions", guest.transactions.value), std::pair("guest_ns", guest.virtual_ns)})
      rows.push_back({{}, guest.guest, kind, value});
  for (const Waiting& one : trial.waiting)
    for (const auto& [kind, value] :
         {std::pair("latency_count", one.count), std::pair("latency_sum_ns", one.sum_ns),
          std::pair("latency_min_ns", one.least_ns), std::pair("latency_p50_ns", one.p50_ns),
          std::pair("latency_p90_ns", one.p90_ns), std::pair("latency_p99_ns", one.p99_ns),
          std::pair("latency_p99_9_ns", one.p999_ns), std::pair("latency_max_ns", one.most_ns)})
      rows.push_back({{}, one.guest, kind, value});
  return rows;
}

}  // namespace

Result<> write_ledger_csv(RunReader& reader, std::ostream& out) {
  std::set<std::string> factors;
  const auto note_factors = [&](const Trial& trial) {
    for (const auto& [name, value] : trial.factors) factors.insert(name);
    return false;  // no more of it is wanted yet
  };
  const auto seen =
      reader.for_each(RunReader::Detail::costs, note_factors, [](const Trial&) { return Result<>(); });
  if (!seen) return seen;

  CsvRows rows(out);
  rows << "trial"
       << "repetition";
  for (const std::string& factor : factors) rows << factor;
  for (const char* heading : {"error", "digest", "work_bytes", "work_packets", "work_transactions",
                              "machine_instructions", "cpu", "domain", "layer", "part", "kind", "value"}) {
    rows << heading;
  }
  rows.end();
  return reader.for_each(RunReader::Detail::costs, [&](const Trial& trial) {
    rows.begin_anew();
    rows << number_of(trial.index) << static_cast<std::uint64_t>(trial.repetition);
    for (const std::string& factor : factors) {
      const auto found = trial.factors.find(factor);
      rows << (found == trial.factors.end() ? std::string_view() : std::string_view(found->second));
    }
    rows << trial.error << trial.digest;
    rows.keep();
    if (!trial.error.empty()) {
      for (int empty = 0; empty < 10; ++empty) rows << "";
      rows.end();
    }
    rows << trial.work.bytes.value << trial.work.packets.value << trial.work.transactions.value;
    // Of the real host nobody knows it.
    machine_cpu_ns(trial) ? rows << "" : rows << trial.machine_total.value;
    rows.keep();
    for (const LedgerEntry& e : trial.ledger) {
      e.cpu == LedgerEntry::kUnknownCpu ? rows << "" : rows << static_cast<std::uint64_t>(e.cpu);
      rows << e.domain << name(e.layer) << name(e.part) << e.kind << e.value;
      rows.end();
    }
    if (!trial.error.empty()) return Result<>();
    for (const MeasuredRow& row : measured_rows(trial)) {
      row.cpu ? rows << static_cast<std::uint64_t>(*row.cpu) : rows << "";
      rows << row.domain << ""
           << "" << row.kind << row.value;
      rows.end();
    }
    return Result<>();
  });
}

}  // namespace vtax
