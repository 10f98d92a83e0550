#include "machine/host/counter_watch.h"

namespace vtax::host {

void CounterWatch::begin(const meter::CpuReading& before, const std::vector<MeteredProcess>& processes) {
  if (!wanted_) {
    seen_.state = "off";
    return;
  }
  const auto check = meter::examine_hardware_counters();
  if (!check.programs) {
    seen_.state = "not counted: " + check.detail;
    return;
  }
  counters_.emplace(meter::hardware_events(), meter::countable_threads(before, processes));
}

void CounterWatch::end() {
  if (!counters_) return;
  counts_ = counters_->read();
  counters_.reset();
}

void CounterWatch::add_rows(const meter::LedgerInput& books, const std::string& host,
                            std::vector<LedgerEntry>& ledger) {
  if (!seen_.state.empty()) return;
  seen_ = meter::counter_ledger(books, ledger, counts_, meter::hardware_events(), host);
  ledger.insert(ledger.end(), seen_.rows.begin(), seen_.rows.end());
}

void CounterWatch::describe(nlohmann::json& meter) const {
  meter["hardware_counters"] = seen_.state;
  if (seen_.rows.empty()) return;
  meter["hardware_counters_time_share"] = seen_.time_share;
  meter["hardware_counters_cpu_share"] = seen_.cpu_share;
  meter["hardware_counters_notes"] = seen_.notes;
}

}  // namespace vtax::host
