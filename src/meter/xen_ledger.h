#pragma once

#include <chrono>
#include <cstdint>
#include <vector>

#include "meter/host_ledger.h"
#include "meter/xen_times.h"

namespace vtax::meter {

// From readings of Xen's counters and of Domain-0's /proc to a ledger in CPU nanoseconds. The CPUs are
// virtual: Domain-0's have their own numbers, the guests' follow behind them. The rows of each add up to the
// time between Xen's readings.
//
//   guest N      Xen's counter of it, divided as the guest says (guest_share.h)
//   driver       on the CPUs where the trial's processes are: Xen's counter of that virtual CPU, but for what
//                threads outside of the trial ran there; program as far as ticks, or who waited for
//                them, say it of the trial's processes. On other CPUs: softirqs for the trial's packets.
//                Domain "Domain-0"
//   elsewhere    the rest of what Domain-0 ran
//   idle         the rest of the time; "stolen" is what Domain-0 says that it waited for a CPU
//
// Xen's work for a domain is in that domain's rows: Xen counts it so. Xen's counters are exact; Domain-0's
// own books are not, since a tick that finds stolen time loses it (docs/benchmarks.md), so the driver's time
// is what is left of the one, and not the sum of the other.
struct XenReading {
  std::chrono::steady_clock::time_point at;
  std::vector<VirtualCpuTime> times;
};
struct XenLedgerInput {
  LedgerInput books;               // before.outside and after.outside filled
  XenReading before, after;        // of Domain-0 and the guests' domains
  std::vector<int> guest_domains;  // of guest 1, 2, ...
};
[[nodiscard]] std::vector<LedgerEntry> xen_ledger(const XenLedgerInput& input);

}  // namespace vtax::meter
