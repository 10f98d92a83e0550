#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>

#include "core/start_phase.h"
#include "machine/lab/lab_machine.h"

namespace vtax::lab {
namespace {

// Guest time for one trial, set-up and warm-up included; hundreds of times what a trial needs.
constexpr std::uint64_t kTimeLimitNs = 60'000'000'000;

// Likewise for each block of a disk, and the agent's limit of limits.
constexpr std::uint64_t kBlockLimitNs = 500'000, kMostTimeLimitNs = 3'600'000'000'000;

constexpr std::uint64_t kCompileLimitNs = 20'000'000'000;  // of each compile

constexpr std::uint64_t kMostGuests = 7, kMostDriverCpus = 2, kMostCards = 2, kMostDriverDomains = 2,
                        kLeastMemoryMib = 128,
                        kMostMemoryMib = 1024;  // of the catalogue

Result<std::uint64_t> number_of(const std::string& key, const std::string& text) {
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error == std::errc() && end == text.data() + text.size()) return number;
  return fail({"cannot plan the trial", "factor '" + key + "' is no number", "", ExitCode::usage});
}

}  // namespace

bool repeats_in_one_machine(const std::map<std::string, std::string>& factors) {
  const auto workload = factors.find("workload");
  return workload == factors.end() || workload->second != "disk";
}

LabKind machine_of(std::string_view platform) {
  return lab_kind(platform).value_or(LabKind::native);  // a container is made in the native machine
}

Result<MachineKind> machine_of(const std::map<std::string, std::string>& factors) {
  MachineKind kind;
  if (const auto platform = factors.find("platform"); platform != factors.end())
    kind.image = machine_of(platform->second);
  struct Number {
    const char* key;
    std::uint64_t least, most;
    int& into;
    bool there;
  };
  MachineShape& shape = kind.shape;
  for (const Number& wanted :
       {Number{"guests", 1, kMostGuests, shape.guests, has_guests(kind.image)},
        Number{"driver_cpus", 1, kMostDriverCpus, shape.driver_cpus, has_guests(kind.image)},
        Number{"guest_memory_mib", kLeastMemoryMib, kMostMemoryMib, shape.guest_memory_mib,
               has_guests(kind.image)},
        Number{"driver_domains", 0, kMostDriverDomains, shape.driver_domains, has_driver_domains(kind.image)},
        Number{"cards", 1, kMostCards, shape.cards, true}}) {
    const auto factor = factors.find(wanted.key);
    if (factor == factors.end() || !wanted.there) continue;
    const auto number = number_of(wanted.key, factor->second);
    if (!number) return fail(number.error());
    wanted.into = static_cast<int>(std::clamp(*number, wanted.least, wanted.most));
  }
  // Inside one machine cards have nothing to do.
  const auto topology = factors.find("topology");
  if (topology != factors.end() && topology->second == "inside") shape.cards = 1;
  // Each has a card, and none can be without an IOMMU.
  shape.cards = std::max(shape.cards, shape.driver_domains);
  const auto iommu = factors.find("iommu");
  if (shape.driver_domains > 0)
    shape.iommu = "on";
  else if (iommu != factors.end() && has_driver_domains(kind.image))
    shape.iommu = iommu->second;
  const auto workload = factors.find("workload");
  shape.compiler = workload != factors.end() && workload->second == "compile";
  if (const auto scheduler = factors.find("scheduler"); scheduler != factors.end() && has_xen(kind.image))
    kind.shape.scheduler = scheduler->second;
  return kind;
}

Result<std::string> plan_of(const Trial& trial) {
  nlohmann::json plan = {{"version", 1}, {"time_limit_ns", kTimeLimitNs}};
  for (const char* key : {"platform", "topology", "workload", "direction", "loads", "guest_cpu", "precision",
                          "forwarding", "driver_interrupts", "scheduler", "guest_weights", "operation",
                          "store", "pattern", "direct", "files", "source"}) {
    const auto factor = trial.factors.find(key);
    if (factor != trial.factors.end()) plan[key] = factor->second;
  }
  const auto offloads = trial.factors.find("offloads");
  plan["offloads"] = offloads == trial.factors.end() || offloads->second == "on";
  for (const char* key : {"bytes",
                          "write_bytes",
                          "warmup_bytes",
                          "transactions",
                          "request_bytes",
                          "response_bytes",
                          "warmup_transactions",
                          "rate_mbps",
                          "guests",
                          "softload_percent",
                          "system_window",
                          "peer_window",
                          "link_mbps",
                          "cards",
                          "guest_cap_percent",
                          "balloon_mib",
                          "array_bytes",
                          "rounds",
                          "size",
                          "systems",
                          "iterations",
                          "compiles",
                          "sampling_hz",
                          "cpu_mips",
                          "round_instructions",
                          "block_bytes",
                          "requests",
                          "connections",
                          "requests_per_connection",
                          "file_bytes",
                          "connections_per_second",
                          "warmup_requests"}) {
    const auto factor = trial.factors.find(key);
    if (factor == trial.factors.end()) continue;
    const auto number = number_of(key, factor->second);
    if (!number) return fail(number.error());
    plan[key] = *number;
  }
  if (const auto kind = machine_of(trial.factors); kind && kind->shape.driver_domains > 0) {
    plan["driver_domains"] = kind->shape.driver_domains;
    plan["cards"] = kind->shape.cards;
  }
  if (plan["workload"] == "disk") {
    const std::uint64_t blocks = plan.value("bytes", std::uint64_t{0}) /
                                 std::max<std::uint64_t>(1, plan.value("block_bytes", std::uint64_t{1}));
    plan["time_limit_ns"] = std::min(kTimeLimitNs + blocks * kBlockLimitNs, kMostTimeLimitNs);
  }
  if (plan["workload"] == "compile") {
    const std::uint64_t at_once =
        plan.value("compiles", std::uint64_t{1}) * plan.value("guests", std::uint64_t{1});
    plan["time_limit_ns"] = std::min(kTimeLimitNs + at_once * kCompileLimitNs, kMostTimeLimitNs);
  }
  const auto variation = variation_of(trial.factors);
  if (!variation) return fail(variation.error());
  auto delay = variation->delay();
  if (!repeats_in_one_machine(trial.factors)) delay += start_phase(trial.repetition);
  if (delay.count() > 0) plan["delay_us"] = delay.count();
  return plan.dump();
}

}  // namespace vtax::lab
