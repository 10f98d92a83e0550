#include "machine/lab/trial_time.h"

#include <cstdint>
#include <map>
#include <nlohmann/json.hpp>
#include <numeric>
#include <utility>

namespace vtax::lab {

ParallelTime time_of(const std::string& plan) {
  ParallelTime time;
  const nlohmann::json fields = nlohmann::json::parse(plan, nullptr, false);
  if (!fields.is_object()) return time;
  time.round = fields.value("round_instructions", time.round);
  if (const auto mips = fields.value("cpu_mips", std::int64_t{0}); mips > 0) {
    const std::int64_t common = std::gcd(std::int64_t{1000}, mips);
    time.speed = {1000 / common, mips / common};
  }
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

}  // namespace vtax::lab
