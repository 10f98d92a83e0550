#pragma once

#include <string>
#include <vector>

#include "meter/hardware_counters.h"
#include "meter/host_ledger.h"

namespace vtax::meter {

// The counters of a trial's threads as rows of a ledger, on the CPUs to which they are pinned:
//
//   host, partner, emulator   user -> program, kernel -> kernel; beside a guest the driver's two parts
//   virtual CPU of TCG        user -> the guest, uncharged: no counter tells its kernel from its program, nor
//                             TCG from both
//   virtual CPU of KVM        host -> driver's kernel, KVM's own code among it, and the little that QEMU does
//                             on that thread; the guest's modes -> its kernel and program
//   UML                       its first process's user mode -> the guest's kernel, other processes' ->
//   program;
//                             kernel -> driver's kernel
//
// Nothing here is an estimate of a part that was not counted: such a part is named in `notes`.
struct CounterLedger {
  std::vector<LedgerEntry> rows;
  std::string state;               // "counted", or "not counted: " and why
  std::vector<std::string> notes;  // what was not seen, and what is an estimate
  double time_share = 1;           // of the time, in which the least counted thread's counters counted
  double cpu_share = 1;            // of the trial's CPU time, what its counted threads ran
};
// `ledger`: the window's, in CPU time; `host`: the domain that is not a guest's.
[[nodiscard]] CounterLedger counter_ledger(const LedgerInput& books, const std::vector<LedgerEntry>& ledger,
                                           const CounterReading& counts,
                                           const std::vector<CountedEvent>& events, const std::string& host);

// The threads of the trial that can be counted.
[[nodiscard]] std::vector<ThreadCounters::Thread> countable_threads(
    const CpuReading& reading, const std::vector<MeteredProcess>& processes);

}  // namespace vtax::meter
