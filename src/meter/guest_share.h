#pragma once

#include <cstdint>

#include "meter/ledger_input.h"

namespace vtax::meter {

// Of a guest's time in a window, which another book knows, how much was its programs' and how much its
// kernel's, in nanoseconds. `guest_programs_ns` is what the guest says of its programs. Where guests also say
// how long they were in their kernels (`guest_kernels_ns`), both are sampled by a clock that goes on while
// others have their CPU: then their time is divided in the proportion of the two, or uncharged where these
// are fewer than kLeastSampledNs.
struct GuestShare {
  std::uint64_t program = 0, kernel = 0, uncharged = 0;
};
// `guest`: 1, 2, ...; `ns`: all that it ran.
[[nodiscard]] GuestShare guest_share(const LedgerInput& input, int guest, std::uint64_t ns);

}  // namespace vtax::meter
