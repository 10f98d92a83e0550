#include "tests/lab/placed.h"

namespace vtax::lab {

void PrintTo(const Placed& placed, std::ostream* out) {
  *out << placed.name;
}

Trial small(const FactorMap& changes) {
  Trial trial;
  trial.factors = {{"topology", "card"},     {"workload", "tcp-stream"}, {"direction", "receive"},
                   {"offloads", "off"},      {"bytes", "262144"},        {"write_bytes", "1448"},
                   {"warmup_bytes", "65536"}};
  for (const auto& [key, value] : changes) trial.factors[key] = value;
  return trial;
}

Trial looping(const FactorMap& changes) {
  Trial trial;
  trial.factors = {
      {"platform", "xen-pv"}, {"topology", "card"}, {"workload", "cpu-loop"}, {"iterations", "10000000"}};
  for (const auto& [key, value] : changes) trial.factors[key] = value;
  return trial;
}

std::uint64_t instructions(const Trial& trial, const std::string& domain, const std::set<Layer>& layers,
                           int cpu) {
  std::uint64_t sum = 0;
  for (const LedgerEntry& entry : trial.ledger)
    if (entry.kind == "instructions" && entry.domain == domain &&
        (layers.empty() || layers.contains(entry.layer)) && (cpu == -2 || entry.cpu == cpu))
      sum += entry.value;
  return sum;
}

std::uint64_t cost_of(const Trial& trial, const std::string& domain, const std::string& function) {
  std::uint64_t sum = 0;
  for (const FunctionCost& one : trial.functions)
    if (one.domain == domain && one.function.find(function) != std::string::npos)
      sum += one.instructions.value;
  return sum;
}

Trial run_anew(const Trial& trial) {
  return LabBench::get().measured_anew(trial.factors);
}

Trial run(const Trial& trial) {
  return LabBench::get().measured(trial.factors);
}

FactorMap two_cards(const FactorMap& more) {
  FactorMap out = {{"platform", "xen-pv"}, {"guests", "2"}, {"cards", "2"}, {"driver_cpus", "2"}};
  for (const auto& [key, value] : more) out[key] = value;
  return out;
}

FactorMap driver_domains(const char* number, const FactorMap& more) {
  FactorMap out = {{"platform", "xen-pv"}, {"driver_domains", number}};
  for (const auto& [key, value] : more) out[key] = value;
  return out;
}

FactorMap two_cards_of_kvm(const FactorMap& more) {
  FactorMap out = two_cards({{"platform", "kvm"}, {"guest_memory_mib", "256"}, {"balloon_mib", "128"}});
  for (const auto& [key, value] : more) out[key] = value;
  return out;
}

FactorMap guest_on(const char* cpu) {
  return {{"platform", "xen-pv"}, {"guest_cpu", cpu}};
}

FactorMap forwarded(const char* way) {
  return {{"platform", "xen-pv"}, {"forwarding", way}, {"link_mbps", "100"}};
}

FactorMap two_guests_of_kvm(const std::string& cpu) {
  FactorMap out = {{"platform", "kvm"}, {"guests", "2"}, {"guest_cpu", cpu}};
  if (cpu == "own") out.insert({{"loads", "opposed"}, {"softload_percent", "50"}});
  if (cpu == "driver") out["link_mbps"] = "100";
  return out;
}

}  // namespace vtax::lab
