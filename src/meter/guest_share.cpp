#include "meter/guest_share.h"

#include <algorithm>

namespace vtax::meter {

GuestShare guest_share(const LedgerInput& input, int guest, std::uint64_t ns) {
  const auto place = static_cast<std::size_t>(guest - 1);
  const std::uint64_t says = place < input.guest_programs_ns.size() ? input.guest_programs_ns[place] : 0;
  std::uint64_t program = std::min(ns, says);
  if (place < input.guest_kernels_ns.size()) {
    const double all = static_cast<double>(says) + static_cast<double>(input.guest_kernels_ns[place]);
    if (all < static_cast<double>(kLeastSampledNs)) return {0, 0, ns};
    program =
        std::min(ns, static_cast<std::uint64_t>(static_cast<double>(ns) * static_cast<double>(says) / all));
  }
  return {program, ns - program, 0};
}

}  // namespace vtax::meter
