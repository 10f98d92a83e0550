#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "meter/counter_ledger.h"

namespace vtax::host {

// The hardware counters of a trial's window, if they are wanted and this computer has them for this user;
// otherwise it says why not.
class CounterWatch {
 public:
  explicit CounterWatch(bool wanted) : wanted_(wanted) {}

  // Just before the window, after the reading of the books.
  void begin(const meter::CpuReading& before, const std::vector<MeteredProcess>& processes);
  // Just after it.
  void end();

  // Adds the rows to the window's ledger. `host`: the domain that is not a guest's.
  void add_rows(const meter::LedgerInput& books, const std::string& host, std::vector<LedgerEntry>& ledger);
  // docs/report-schema.md, `provenance` on the host. After add_rows().
  void describe(nlohmann::json& meter) const;

 private:
  bool wanted_;
  std::optional<meter::ThreadCounters> counters_;
  meter::CounterReading counts_;
  meter::CounterLedger seen_;
};

}  // namespace vtax::host
