#include <charconv>
#include <nlohmann/json.hpp>

#include "machine/lab/lab_machine.h"

namespace vtax::lab {
namespace {

// Guest time for one trial, set-up and warm-up included; hundreds of times what a trial needs.
constexpr std::uint64_t kTimeLimitNs = 60'000'000'000;

}  // namespace

LabKind machine_of(std::string_view platform) {
  return lab_kind(platform).value_or(LabKind::native);  // a container is made in the native machine
}

Result<std::string> plan_of(const Trial& trial) {
  nlohmann::json plan = {{"version", 1}, {"time_limit_ns", kTimeLimitNs}};
  for (const char* key : {"platform", "topology", "workload", "direction"}) {
    const auto factor = trial.factors.find(key);
    if (factor != trial.factors.end()) plan[key] = factor->second;
  }
  const auto offloads = trial.factors.find("offloads");
  plan["offloads"] = offloads == trial.factors.end() || offloads->second == "on";
  for (const char* key : {"bytes", "write_bytes", "warmup_bytes", "transactions", "request_bytes",
                          "response_bytes", "warmup_transactions", "rate_mbps"}) {
    const auto factor = trial.factors.find(key);
    if (factor == trial.factors.end()) continue;
    const std::string& text = factor->second;
    std::uint64_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc() || end != text.data() + text.size())
      return fail(
          {"cannot plan the trial", std::string("factor '") + key + "' is no number", "", ExitCode::usage});
    plan[key] = number;
  }
  const auto variation = variation_of(trial.factors);
  if (!variation) return fail(variation.error());
  if (const auto delay = variation->delay(); delay.count() > 0) plan["delay_us"] = delay.count();
  return plan.dump();
}

}  // namespace vtax::lab
