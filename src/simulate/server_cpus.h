#pragma once

#include "simulate/scheduler.h"
#include "subject/trial_spec.h"

// Where a server's domains run, as in the lab: the driver domain's CPU, the peer's, the guests'.
namespace vtax::simulate {

inline constexpr int kDriverCpu = 0, kPeerCpu = 1, kFirstGuestCpu = 2;

[[nodiscard]] inline Share share_of_domain0(SchedulerKind scheduler, int cpu) {
  const std::uint64_t cpus = std::uint64_t{1} << cpu;
  const bool reserves = scheduler == SchedulerKind::sedf || scheduler == SchedulerKind::atropos;
  if (!reserves) return {.cpus = cpus};
  return {.cpus = cpus, .period = 20 * kMs, .slice = 15 * kMs, .extra = true, .latency = 5 * kMs};
}

// Of all guests `number` counts, from 0.
[[nodiscard]] inline int cpu_of_guest(const TrialSpec& spec, int number) {
  return spec.guest_cpu == GuestCpu::driver     ? kDriverCpu
         : spec.guest_cpu == GuestCpu::together ? kFirstGuestCpu
                                                : kFirstGuestCpu + number;
}

[[nodiscard]] inline Share share_of_guest(const TrialSpec& spec, int number) {
  Share share{.cpus = std::uint64_t{1} << cpu_of_guest(spec, number)};
  if (spec.guest_weights == GuestWeights::halving) share.weight >>= number;
  share.cap_percent = spec.guest_cap_percent;
  return share;
}

}  // namespace vtax::simulate
