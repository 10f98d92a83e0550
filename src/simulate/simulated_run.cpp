#include "simulate/simulated_run.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <utility>

#include "simulate/simulated_trial.h"

namespace vtax::simulate {
namespace {

SchedulerKind scheduler_of(const SimulationWish& wish, const TrialSpec& spec) {
  if (wish.scheduler) return *wish.scheduler;
  switch (spec.scheduler) {
    case vtax::Scheduler::credit:
      return SchedulerKind::credit;
    case vtax::Scheduler::rtds:
      return SchedulerKind::rtds;
    case vtax::Scheduler::null:
      return SchedulerKind::null;
    case vtax::Scheduler::credit2:
      break;
  }
  return SchedulerKind::credit2;
}

std::optional<Error> obstacle_of(const SimulationWish& wish, const PriceList& prices,
                                 const std::map<std::string, std::string>& factors) {
  const auto spec = trial_spec_of(factors);
  if (!spec) return spec.error();
  if (auto why = obstacle_to_simulating(*spec, scheduler_of(wish, *spec)))
    return Error{"", std::move(*why), "docs/simulator.md says what the simulator knows"};
  const auto found = prices.find(factors);
  if (!found) return found.error();
  return std::nullopt;
}

}  // namespace

Result<std::vector<std::string>> leave_out_unknown(const SimulationWish& wish, const PriceList& prices,
                                                   Plan& plan) {
  std::map<std::string, std::set<std::map<std::string, std::string>>> left_out;  // by reason
  std::optional<Error> first;
  std::erase_if(plan.trials, [&](const PlannedTrial& trial) {
    const auto obstacle = obstacle_of(wish, prices, trial.factors);
    if (!obstacle) return false;
    left_out[obstacle->why].insert(trial.factors);
    if (!first) first = obstacle;
    return true;
  });
  if (plan.trials.empty() && first)
    return fail({fmt::format("cannot simulate study {}", plan.study.name), first->why, first->next});
  for (std::size_t i = 0; i < plan.trials.size(); ++i) plan.trials[i].index = i;
  std::vector<std::string> notes;
  for (const auto& [why, cells] : left_out)
    notes.push_back(fmt::format("{} cell{} left out, which the simulator does not know: {}", cells.size(),
                                cells.size() == 1 ? "" : "s", why));
  return notes;
}

Run header_of(const SimulationWish& wish, const PriceList& prices, const Plan& plan) {
  Run header;
  header.study = plan.study.name;
  header.question = plan.study.question;
  header.study_source = plan.study.source;
  nlohmann::json settings = effective_settings(plan);
  settings["machine"] = kSimulatorMachine;
  nlohmann::json how = {{"seed", wish.seed}, {"costs", wish.costs}, {"costs_sha256", prices.digest()}};
  if (wish.scheduler) how["scheduler"] = name_of(*wish.scheduler);
  settings["simulator"] = std::move(how);
  header.settings = settings.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  header.vtax_version = VTAX_VERSION;
  header.machine = nlohmann::json({{"simulator", "vtax " VTAX_VERSION}}).dump();
  header.planned_trials = plan.trials.size();
  return header;
}

Result<> simulate_all(const SimulationWish& wish, const PriceList& prices, const Plan& plan,
                      const std::function<Result<>(const Trial&)>& keep) {
  for (const PlannedTrial& planned : plan.trials) {
    Trial trial;
    trial.index = planned.index;
    trial.repetition = planned.repetition;
    trial.factors = planned.factors;
    const auto spec = trial_spec_of(planned.factors);
    if (!spec) return fail(spec.error());
    const auto cell = prices.find(planned.factors);
    if (!cell) return fail(cell.error());
    const SchedulerKind scheduler = scheduler_of(wish, *spec);
    const std::uint64_t seed = wish.seed * 1'000'003 + planned.index;
    trial.provenance = nlohmann::json({{"simulator", VTAX_VERSION},
                                       {"scheduler", name_of(scheduler)},
                                       {"seed", seed},
                                       {"costs_sha256", prices.digest()},
                                       {"costs_trial", number_of((*cell)->index)}})
                           .dump();
    if (auto done = simulate({*spec, scheduler, seed}, **cell, trial); !done) {
      Trial failed;
      failed.index = trial.index;
      failed.repetition = trial.repetition;
      failed.factors = std::move(trial.factors);
      failed.error = done.error().text();
      trial = std::move(failed);
    }
    if (auto kept = keep(trial); !kept) return kept;
  }
  return {};
}

}  // namespace vtax::simulate
