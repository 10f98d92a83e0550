#include "machine/lab/trial_time.h"

#include <cstdint>
#include <map>
#include <numeric>
#include <utility>

namespace vtax::lab {

ParallelTime time_of(const TrialSpec& trial) {
  ParallelTime time;
  time.round = trial.round_instructions;
  const std::int64_t common = std::gcd(std::int64_t{1000}, std::int64_t{trial.cpu_mips});
  time.speed = {1000 / common, trial.cpu_mips / common};
  return time;
}

std::vector<Busy> busy_of(const Trial& trial, const Speed& speed, int peer_cpu) {
  std::map<std::pair<int, std::string>, std::uint64_t> executed;
  for (const LedgerEntry& entry : trial.ledger)
    if (entry.kind == "instructions" && entry.layer != Layer::idle && entry.cpu >= 0)
      executed[{entry.cpu, entry.domain}] += entry.value;
  if (trial.peer_total.value > 0) executed[{peer_cpu, "peer"}] = trial.peer_total.value;
  std::vector<Busy> out;
  for (const auto& [whose, instructions] : executed)
    out.push_back({whose.first, whose.second,
                   instructions * static_cast<std::uint64_t>(speed.ns) /
                       static_cast<std::uint64_t>(speed.instructions)});
  return out;
}

std::vector<Busy> busy_of(const Trial& trial, const LabPrices& prices) {
  const bool has_xens = has_xen(platform_named(trial.factors.at("platform")).value_or(PlatformId::native));
  const auto price_of = [&](const LedgerEntry& entry) {
    if (entry.kind != "instructions") return prices.of(entry.kind);
    if (entry.layer == Layer::program || entry.part == Part::program) return prices.of("program");
    // KVM's own code is its host's kernel.
    const bool is_xens = entry.layer == Layer::hypervisor && has_xens;
    return is_xens && prices.of("hypervisor") > 0 ? prices.of("hypervisor") : prices.of("kernel");
  };
  std::map<std::pair<int, std::string>, std::uint64_t> femtoseconds;
  for (const LedgerEntry& entry : trial.ledger)
    if (entry.layer != Layer::idle && entry.cpu >= 0)
      if (const std::uint64_t price = price_of(entry); price > 0)
        femtoseconds[{entry.cpu, entry.domain}] += entry.value * price;
  std::vector<Busy> out;
  for (const auto& [whose, fs] : femtoseconds) out.push_back({whose.first, whose.second, fs / 1'000'000});
  return out;
}

}  // namespace vtax::lab
