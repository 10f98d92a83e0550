#pragma once

#include <chrono>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <set>
#include <vector>

#include "controller/trial.h"
#include "machine/host/counter_watch.h"
#include "machine/host/softirq_watch.h"
#include "machine/host/window_readings.h"
#include "meter/xen_ledger.h"

namespace vtax::host {

// What the books say before and after the window, and in its course.
class WindowBooks {
 public:
  WindowBooks(const Bench& bench, bool counters, bool with_course);

  // They read next to the window: Xen's counters nearest to it, as reading /proc takes much longer.
  controller::WindowHooks hooks();

  // `result`: the work's.
  std::vector<LedgerEntry> ledger(const nlohmann::json& result);

  // After ledger(). Readings too near to the window's end are no slice's.
  Timeline course(const std::vector<LedgerEntry>& window);

  // docs/report-schema.md, `provenance` on the host.
  [[nodiscard]] nlohmann::json describe() const;

 private:
  [[nodiscard]] bool on_xen() const { return !seen_.guest_domains.empty(); }
  // Device models of Xen's guests.
  [[nodiscard]] std::set<int> outer_processes() const;
  [[nodiscard]] std::vector<LedgerEntry> ledger_of(const meter::XenLedgerInput& input) const;
  [[nodiscard]] std::uint64_t span_of(const meter::XenLedgerInput& input) const;
  Result<WindowReading> read_within() const;
  Result<> read_proc(meter::CpuReading& into) const;
  Result<> read_xen(meter::XenReading& into) const;

  static constexpr std::uint64_t kLeastSliceNs =
      std::chrono::nanoseconds(WindowReadings::kUsualInterval).count() / 2;

  const Bench& bench_;
  CountedSystems systems_;
  bool with_course_;
  meter::XenLedgerInput seen_;
  SoftirqWatch softirqs_;
  CounterWatch counters_;
  std::vector<DeviceCounters> devices_before_, devices_after_;
  std::vector<WindowReading> within_;
  WindowReadings course_;  // the last: its thread uses the others
};

}  // namespace vtax::host
