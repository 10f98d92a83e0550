#include "machine/lab/plan_terms.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "machine/lab/trial_time.h"
#include "subject/trial_spec.h"

namespace vtax::lab {

PlanTerms PlanTerms::of(const std::string& plan) {
  TrialSpec trial;
  PlanTerms terms;
  const nlohmann::json fields = nlohmann::json::parse(plan, nullptr, false);
  if (fields.is_object()) {
    trial.round_instructions = fields.value("round_instructions", trial.round_instructions);
    trial.cpu_mips = fields.value("cpu_mips", trial.cpu_mips);
    trial.guests = fields.value("guests", trial.guests);
    trial.machines = fields.value("machines", trial.machines);
    trial.own_guests_ask = fields.value("own_guests", "ask") == "ask";
    terms.time_limit = std::chrono::nanoseconds(fields.value("time_limit_ns", std::uint64_t{0}));
    const bool controller_marks =
        fields.value("books", false) || fields.value("counters", false) || fields.value("watch", false);
    if (!controller_marks) terms.parties = static_cast<std::uint64_t>(std::max(1, systems_at_work(trial)));
  }
  terms.time = time_of(trial);
  return terms;
}

// Instructions: at 2 ns each a minute of the machine's CPU time, or what the plan's time limit lets one CPU
// execute, where that is more. Virtual time: as much for each of the parts of a trial that the agent bounds
// (http_trial.cpp has five). CPU time: those instructions at 25 million a second (35 were seen on a computer
// that others kept busy); a model of caches takes some times as much.
Bounds PlanTerms::bounds(bool models_caches) const {
  constexpr std::uint64_t kTrialInstructions = 30'000'000'000, kSlowest = 25'000'000;
  constexpr int kParts = 5;
  Bounds bounds;
  bounds.instructions = std::max(kTrialInstructions, static_cast<std::uint64_t>(time_limit.count()) / 2);
  bounds.virtual_time = kParts * time_limit;
  bounds.cpu_time = std::chrono::seconds(bounds.instructions / kSlowest * (models_caches ? 4 : 1));
  return bounds;
}

}  // namespace vtax::lab
