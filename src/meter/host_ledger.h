#pragma once

#include <vector>

#include "meter/ledger_input.h"
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
// A partner's time is the driver's only if there is a guest. What a guest says: guest_share.h.
[[nodiscard]] std::vector<LedgerEntry> host_ledger(const LedgerInput& input);

}  // namespace vtax::meter
