#pragma once

#include <nlohmann/json.hpp>
#include <set>
#include <string>

#include "agent/known_work.h"
#include "tests/lab/lab_bench.h"

namespace vtax::lab {

using agent::KnownWork;

struct Checked {
  Observation seen;
  Ledger ledger;

  // Of the functions whose name contains `function`, in this domain.
  [[nodiscard]] std::uint64_t cost(const std::string& domain, const std::string& function) const {
    std::uint64_t sum = 0;
    for (const FunctionCost& one : ledger.functions)
      if (one.domain == domain && one.function.find(function) != std::string::npos)
        sum += one.instructions.value;
    return sum;
  }

  [[nodiscard]] std::uint64_t sum(const std::string& kind, const std::string& domain,
                                  const std::set<Layer>& layers = {}, int cpu = -2) const {
    std::uint64_t total = 0;
    for (const LedgerEntry& entry : ledger.entries)
      if (entry.kind == kind && entry.domain == domain && (layers.empty() || layers.contains(entry.layer)) &&
          (cpu == -2 || entry.cpu == cpu))
        total += entry.value;
    return total;
  }

  [[nodiscard]] std::uint64_t uncharged() const {
    std::uint64_t total = 0;
    for (const LedgerEntry& entry : ledger.entries)
      if (entry.layer == Layer::uncharged) total += entry.value;
    return total;
  }
};

// Instructions of a domain's programs, whatever layer they are.
[[nodiscard]] inline std::uint64_t program_of(const Checked& checked, const std::string& domain) {
  std::uint64_t total = 0;
  for (const LedgerEntry& entry : checked.ledger.entries)
    if (entry.kind == "instructions" && entry.domain == domain &&
        (entry.layer == Layer::program || entry.part == Part::program))
      total += entry.value;
  return total;
}

// Runs the agent's self-check. Failures are the calling test's.
inline std::optional<Checked> self_check(PlatformId kind, nlohmann::json plan,
                                         const MachineShape& shape = {}) {
  plan["version"] = 1;
  plan["platform"] = name_of(kind);
  plan["workload"] = "self-check";
  plan["time_limit_ns"] = 60'000'000'000;
  const LabMachine& machine = LabBench::get().machine(kind, shape);
  auto seen = machine.observe(plan.dump(), quiet);
  if (!seen) {
    ADD_FAILURE() << seen.error().text();
    return std::nullopt;
  }
  auto ledger = machine.ledger_of(*seen, {});
  if (!ledger) {
    ADD_FAILURE() << ledger.error().text();
    return std::nullopt;
  }
  return Checked{std::move(*seen), std::move(*ledger)};
}

}  // namespace vtax::lab
