#pragma once

#include <cstdint>
#include <vector>

#include "meter/cpu_reading.h"
#include "platform/platform.h"
#include "record/trial.h"

namespace vtax::meter {

// From two readings to a ledger in CPU nanoseconds, one set of rows a CPU. It balances by construction: the
// rows of a CPU add up to the time between the readings.
//
//   system, partner without a guest   user time -> program, system time -> kernel; domain "host"
//   partner beside a guest            driver, program and kernel; domain "host", as in the lab's Domain-0
//   emulator                          its virtual CPUs' user time -> the guest: program as far as the guest
//                                     says so, kernel the rest (with TCG's own work, which no book tells
//                                     apart); all else -> driver
//   kvm                               its virtual CPUs' guest time -> the guest, program as far as the guest
//                                     says so; all else, the kernel's vhost threads among it -> driver. KVM's
//                                     own code is in driver's kernel: no book tells it apart
//   uml                               user time of its first process -> the guest's kernel, of the others,
//                                     which are the guest's programs -> program; system time -> driver
//   what has ended in between         threads and children of a living process of a system or partner: that
//                                     one's; children of uml's processes: the guest's programs
//   packets on others' backs          kernel or, beside a guest, driver kernel; domain "host"
//   uncharged                         time of a trial's thread of which no tick tells whether it was in the
//                                     kernel
//   elsewhere, idle                   other programs ("elsewhere"), what the machine below has taken
//   ("stolen"),
//                                     and nothing: from /proc/stat, as exact as its ticks
//
// A partner's time is the driver's only if there is a guest. `guest_programs_ns`: what each guest says
// of itself. Where guests also say how long they were in their kernels, `guest_kernels_ns`, what they say is
// sampled by a clock that goes on while others have their CPU: then their time is divided in the proportion
// of the two, or uncharged where these are fewer than four ticks.
struct LedgerInput {
  CpuReading before, after;
  std::vector<MeteredProcess> processes;
  std::vector<std::uint64_t> guest_programs_ns;  // of guest 1, 2, ...; who is not in it says nothing
  std::vector<std::uint64_t> guest_kernels_ns = {};
  // By CPU: softirq time for the trial's packets that no thread of the trial has in its books, since it ran
  // on the back of another thread or of none (softirq_clock.h). Empty where it is not known: it then is in
  // `elsewhere` and `idle`.
  std::map<int, std::uint64_t> packets_ns = {};
  // Of a metered process: what it and its children used that ended between the readings, all of their lives,
  // as it says itself. Without it that is known by ticks.
  struct Awaited {
    std::uint64_t user_ns = 0, system_ns = 0;
  };
  std::map<int, Awaited> awaited = {};
};
[[nodiscard]] std::vector<LedgerEntry> host_ledger(const LedgerInput& input);

}  // namespace vtax::meter
