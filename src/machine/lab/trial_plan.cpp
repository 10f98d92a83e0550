#include <algorithm>
#include <chrono>
#include <nlohmann/json.hpp>

#include "core/start_phase.h"
#include "machine/lab/lab_machine.h"
#include "subject/workload_table.h"

namespace vtax::lab {
namespace {

// Guest time for one trial, set-up and warm-up included; hundreds of times what a trial needs.
constexpr std::uint64_t kTimeLimitNs = 60'000'000'000;

// Likewise for each block of a disk, and the agent's limit of limits.
constexpr std::uint64_t kBlockLimitNs = 500'000, kMostTimeLimitNs = 3'600'000'000'000;

constexpr std::uint64_t kCompileLimitNs = 20'000'000'000;  // of each compile

std::uint64_t time_limit_ns(const TrialSpec& trial) {
  const WorkloadKind& workload = workload_of(trial.workload);
  std::uint64_t more = 0;
  if (workload.has_disk) more = trial.bytes / std::max<std::uint64_t>(1, trial.block_bytes) * kBlockLimitNs;
  if (workload.has_compiler)
    more = trial.compiles * static_cast<std::uint64_t>(trial.guests) * kCompileLimitNs;
  if (workload.has_program)
    more = static_cast<std::uint64_t>(trial.prepare.empty() ? 4 : 6) *
           static_cast<std::uint64_t>(trial.guests) * trial.limit_seconds * 1'000'000'000;
  return std::min(kTimeLimitNs + more, kMostTimeLimitNs);
}

}  // namespace

bool repeats_in_one_machine(const TrialSpec& trial) {
  return !workload_of(trial.workload).has_disk;
}

MachineKind machine_of(const TrialSpec& trial) {
  MachineKind kind{lab_machine_of(trial.platform), trial};
  MachineShape& shape = kind.shape;
  const MachineShape usual;
  if (!has_guests(kind.image)) {
    shape.guests = usual.guests;
    shape.guest_cpus = usual.guest_cpus;
    shape.driver_cpus = usual.driver_cpus;
    shape.guest_memory_mib = usual.guest_memory_mib;
    shape.guest_args = usual.guest_args;
    shape.guest_kernel = usual.guest_kernel;
  }
  if (!has_xen(kind.image)) {
    shape.scheduler = usual.scheduler;
    shape.xen_args = usual.xen_args;
  }
  if (!has_driver_domains(kind.image)) {
    shape.driver_domains = usual.driver_domains;
    shape.iommu = usual.iommu;
  }
  shape.virtual_functions = trial.forwarding == Forwarding::vf;
  // Inside one machine cards have nothing to do.
  if (trial.topology == Topology::inside) shape.cards = usual.cards;
  shape.cards = std::max(shape.cards, shape.driver_domains);  // each has one,
  if (shape.driver_domains > 0) shape.iommu = Iommu::on;      // and none can be without an IOMMU
  return kind;
}

std::optional<MachineKind> peer_machine_of(const TrialSpec& trial) {
  if (trial.topology != Topology::joined) return std::nullopt;
  MachineShape shape;
  shape.stack = trial.stack;
  return MachineKind{PlatformId::native, shape};
}

Result<MachineKind> machine_of(const std::map<std::string, std::string>& factors) {
  const auto trial = trial_spec_of(factors);
  if (!trial) return fail(trial.error());
  return machine_of(*trial);
}

Result<std::string> plan_of(const TrialSpec& trial, int repetition) {
  nlohmann::json plan = to_json(trial);
  plan["version"] = 1;
  plan["time_limit_ns"] = time_limit_ns(trial);
  const auto variation = variation_of(trial.variation);
  if (!variation) return fail(variation.error());
  auto delay = variation->delay();
  if (!repeats_in_one_machine(trial)) delay += start_phase(repetition);
  if (delay.count() > 0) plan["delay_us"] = delay.count();
  return plan.dump();
}

std::optional<JoinedPlan> joined_plan_of(const std::string& plan) {
  nlohmann::json fields = nlohmann::json::parse(plan, nullptr, false);
  if (!fields.is_object()) return std::nullopt;
  JoinedPlan joined;
  joined.latency = std::chrono::microseconds(fields.value("link_us", TrialSpec().link_us));
  if (const int machines = fields.value("machines", 1); machines > 1) {
    for (int seat = 1; seat < machines; ++seat) {
      fields["seat"] = seat;
      joined.others.push_back(fields.dump());
    }
    return joined;
  }
  if (fields.value("topology", "") != name_of(Topology::joined)) return std::nullopt;
  nlohmann::json peer = {{"version", 1}, {"platform", name_of(PlatformId::native)}, {"workload", "peer"}};
  for (const char* shared :
       {"time_limit_ns", "guests", "offloads", "link_mbps", "forwarding", "cpu_mips", "round_instructions"})
    if (fields.contains(shared)) peer[shared] = fields[shared];
  joined.has_peer = true;
  joined.others.push_back(peer.dump());
  return joined;
}

Result<std::string> plan_of(const Trial& trial) {
  const auto spec = trial_spec_of(trial.factors);
  if (!spec) return fail(spec.error());
  return plan_of(*spec, trial.repetition);
}

}  // namespace vtax::lab
