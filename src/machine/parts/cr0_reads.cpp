#include "machine/parts/cr0_reads.h"

#include <algorithm>
#include <array>

namespace vtax::lab {
namespace {

// mov $~(CR2 and CR8 accesses), (%rbx): VMCB's word of intercepted control registers, reads in its lower
// half.
constexpr std::array<std::uint8_t, 7> kConstant = {0x48, 0xc7, 0x03, 0xfb, 0xfe, 0xfb, 0xfe};
constexpr std::ptrdiff_t kReads = 3;
constexpr std::uint8_t kCr0 = 1;

}  // namespace

Result<> leave_cr0_reads_to_guests(std::vector<std::uint8_t>& xen, const std::string& name) {
  const auto found = std::search(xen.begin(), xen.end(), kConstant.begin(), kConstant.end());
  const bool once = found != xen.end() &&
                    std::search(found + 1, xen.end(), kConstant.begin(), kConstant.end()) == xen.end();
  if (!once)
    return fail(
        {"cannot prepare " + name + " for PVH guests in the lab",
         "the place where it sets which control registers it intercepts was not found, and with reads of CR0 "
         "intercepted QEMU stops such guests",
         "use Debian's Xen 4.17, or platform xen-pv", ExitCode::unavailable});
  *(found + kReads) &= static_cast<std::uint8_t>(~kCr0);
  return {};
}

}  // namespace vtax::lab
