#include "machine/parts/cr0_reads.h"

#include <algorithm>
#include <array>

#include "core/bytes.h"

namespace vtax::lab {
namespace {

// ~(CR2 and CR8 accesses): VMCB's word of intercepted control registers, reads in its lower half.
constexpr std::array<std::uint8_t, 4> kIntercepts = {0xfb, 0xfe, 0xfb, 0xfe};
constexpr std::uint8_t kCr0 = 1;

// Whether `code` ends with the beginning of "mov $constant, (register)", which a compiler writes with the
// register that is free: the word is the VMCB's first. As it is encoded, the registers 4 and 5 have a byte
// more.
bool begins_store(ByteView code) {
  constexpr std::uint8_t kMove = 0xc7, kLastRegister = 7;
  const auto from_end = [&](std::size_t n) { return code[code.size() - n]; };
  if (code.size() < 3) return false;
  if (from_end(2) == kMove) return from_end(1) <= kLastRegister && from_end(1) != 4 && from_end(1) != 5;
  return from_end(3) == kMove &&
         ((from_end(2) == 0x04 && from_end(1) == 0x24) || (from_end(2) == 0x45 && from_end(1) == 0));
}

}  // namespace

Result<> leave_cr0_reads_to_guests(std::vector<std::uint8_t>& xen, const std::string& name) {
  std::vector<std::uint8_t*> places;
  for (auto at = xen.begin();; ++at) {
    at = std::search(at, xen.end(), kIntercepts.begin(), kIntercepts.end());
    if (at == xen.end()) break;
    if (begins_store(ByteView(xen).first(static_cast<std::size_t>(at - xen.begin())))) places.push_back(&*at);
  }
  if (places.size() != 1)
    return fail(
        {"cannot prepare " + name + " for PVH guests in the lab",
         "the place where it sets which control registers it intercepts was not found, and with reads of CR0 "
         "intercepted QEMU stops such guests",
         "use Debian's Xen 4.17, or platform xen-pv", ExitCode::unavailable});
  *places[0] &= static_cast<std::uint8_t>(~kCr0);
  return {};
}

}  // namespace vtax::lab
