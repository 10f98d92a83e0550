#include "meter/xen_times.h"

#include "meter/xen_calls.h"

namespace vtax::meter {
namespace {

constexpr int kMostVirtualCpus = 64;

}  // namespace

Result<std::vector<VirtualCpuTime>> read_xen_times(std::span<const int> domains) {
  auto xen = XenCalls::open();
  if (!xen) return fail(xen.error());
  std::vector<VirtualCpuTime> times;
  for (const int domain : domains)
    for (int number = 0; number < kMostVirtualCpus; ++number) {
      const auto cpu = xen->virtual_cpu(domain, number);
      if (!cpu) return fail(cpu.error());
      if (!*cpu) break;
      times.push_back({domain, number, (**cpu).busy_ns});
    }
  return times;
}

}  // namespace vtax::meter
