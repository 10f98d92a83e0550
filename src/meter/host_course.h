#pragma once

#include <cstdint>
#include <vector>

#include "record/trial.h"

namespace vtax::meter {

// A ledger (host_ledger.h, xen_ledger.h) from the window's first reading to a later one.
struct LedgerUpTo {
  std::uint64_t end_ns = 0;  // since the first reading
  std::vector<LedgerEntry> entries;
};

// The course of a window on the real host: slices between readings, each what one ledger has more than the
// one before. The last of `readings` is the window's own, so the slices add up to it, to the nanosecond.
//
// A thread's time is exact in every slice. What part of it was in the kernel is known by ticks of 10 ms, here
// as in the window; a slice has few of them, so:
//   guests' rows       kernel and program are one: a guest tells of its programs at the window's end alone
//   driver             its parts are one
//   native, container  kernel and program have rows of their own where their CPU had as many ticks in the
//   mean
//                      slice as a window must have (host_ledger.h); elsewhere they are one, with what the
//                      window has uncharged
// A row's share of a slice is then right to a tick or two; one that a later tick takes back is moved to where
// the sum allows it, so no number is negative. `idle` takes what the others leave of the slice.
//
// Without readings within the window: empty.
[[nodiscard]] Timeline host_course(const std::vector<LedgerUpTo>& readings);

}  // namespace vtax::meter
