#include "machine/host/window_growth.h"

#include <algorithm>
#include <cmath>
#include <string>

#include "subject/factor_table.h"
#include "subject/workload_table.h"

namespace vtax::host {
namespace {

// A try of a tenth of the window tells its speed well enough; what is shorter is mostly its begin and end.
constexpr double kTells = 0.1, kMostAtOnce = 100;
constexpr int kMostTries = 6;

std::uint64_t* amount_in(controller::TrialPlan& plan) {
  switch (plan.workload) {
    case WorkloadId::tcp_stream:
    case WorkloadId::udp_stream:
      return &plan.window.bytes.value;
    case WorkloadId::tcp_rr:
    case WorkloadId::udp_rr:
    case WorkloadId::tcp_crr:
      return &plan.window.transactions.value;
    case WorkloadId::http:
      return &plan.http->requests;
    case WorkloadId::memory:
      return &plan.local->rounds;
    case WorkloadId::linpack:
      return &plan.local->systems;
    case WorkloadId::cpu_loop:
      return &plan.local->iterations;
    case WorkloadId::disk:
      return &plan.local->bytes;
    case WorkloadId::compile:
    case WorkloadId::program:
      break;
  }
  return nullptr;
}

}  // namespace

Result<Growth> grow_window(controller::TrialPlan& plan, const TryWindow& try_window) {
  Growth growth;
  std::uint64_t* const amount = amount_in(plan);
  if (plan.window_ms == 0 || amount == nullptr) return growth;
  const std::uint64_t most = find_factor(workload_of(plan.workload).factors, amount_of(plan.workload))->high;
  const double wanted_ns = 1e6 * static_cast<double>(plan.window_ms);
  growth.from = *amount;
  while (growth.tries < kMostTries && *amount < most) {
    const auto lasted = try_window(plan, ++growth.tries);
    if (!lasted) return fail(lasted.error());
    const double lasted_ns = std::max(1.0, static_cast<double>(lasted->count()));
    const double times = std::clamp(wanted_ns / lasted_ns, 1.0, kMostAtOnce);
    *amount = static_cast<std::uint64_t>(
        std::min(std::ceil(static_cast<double>(*amount) * times), static_cast<double>(most)));
    if (lasted_ns >= kTells * wanted_ns) break;
  }
  growth.to = *amount;
  return growth;
}

nlohmann::json to_json(const Growth& growth, WorkloadId workload) {
  return {{"factor", std::string(amount_of(workload))},
          {"from", growth.from},
          {"to", growth.to},
          {"tries", growth.tries}};
}

}  // namespace vtax::host
