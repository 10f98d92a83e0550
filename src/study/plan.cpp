#include "study/plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "core/readable.h"
#include "study/catalogue.h"
#include "study/host_pace.h"
#include "study/machine_rules.h"
#include "study/meaning.h"
#include "study/possible.h"
#include "study/suggest.h"

namespace vtax {
namespace {

// One factor with its values, in the order in which it varies.
struct Axis {
  std::string name;
  const std::vector<std::string>* values;
};

std::vector<Axis> axes_of(const Study& study, const StudyWorkload& workload) {
  std::vector<Axis> axes;
  for (const Factor& factor : common_factors()) {
    axes.push_back({std::string(factor.name), &values_of(study, workload, std::string(factor.name))});
  }
  for (const Factor& factor : find_workload(workload.name)->factors) {
    axes.push_back({std::string(factor.name), &workload.factors.at(std::string(factor.name))});
  }
  return axes;
}

// Counts up the places like an odometer, the last one fastest; false after the last combination.
bool advance(std::vector<std::size_t>& places, const std::vector<Axis>& axes) {
  for (std::size_t i = axes.size(); i-- > 0;) {
    if (++places[i] < axes[i].values->size()) return true;
    places[i] = 0;
  }
  return false;
}

std::vector<PlanCell> cells_of(const Study& study, const StudyWorkload& workload) {
  const std::vector<Axis> axes = axes_of(study, workload);
  std::vector<PlanCell> cells;
  std::vector<std::size_t> places(axes.size());
  do {
    PlanCell cell{{"workload", workload.name}};
    for (std::size_t i = 0; i < axes.size(); ++i) cell[axes[i].name] = (*axes[i].values)[places[i]];
    cells.push_back(std::move(cell));
  } while (advance(places, axes));
  return cells;
}

struct PassCell {
  PlanCell factors;
  std::size_t block = 0;  // of the study's workloads
};

// A pass over all workloads, each platform's trials together.
std::vector<PassCell> pass_of(const Study& study) {
  std::vector<std::string> platforms;
  for (const StudyWorkload& workload : study.workloads) {
    for (const std::string& platform : values_of(study, workload, "platform"))
      if (std::find(platforms.begin(), platforms.end(), platform) == platforms.end())
        platforms.push_back(platform);
  }
  std::vector<PassCell> cells;
  for (const std::string& platform : platforms) {
    for (std::size_t block = 0; block < study.workloads.size(); ++block) {
      StudyWorkload workload = study.workloads[block];
      const auto& its = values_of(study, workload, "platform");
      const auto times = std::count(its.begin(), its.end(), platform);
      workload.common["platform"] = {platform};
      for (auto i = times; i > 0; --i)
        for (auto& cell : cells_of(study, workload)) cells.push_back({std::move(cell), block});
    }
  }
  return cells;
}

std::string cell_text(const PlanCell& cell) {
  std::string text;
  for (const auto& [name, value] : cell) text += fmt::format("{}{}={}", text.empty() ? "" : " ", name, value);
  return text;
}

// Without what stands in it twice. Blocks of a study that differ in a factor are alike when the command line
// sets that factor; in a file by itself, or within a block, such a trial is a mistake.
Result<std::vector<PlanCell>> without_repeats(const std::vector<PassCell>& pass, bool is_changed,
                                              const std::string& what, std::vector<std::string>& notes) {
  std::map<PlanCell, std::size_t> blocks;
  std::vector<PlanCell> cells;
  std::size_t repeated = 0;
  for (const PassCell& cell : pass) {
    const auto [first, is_new] = blocks.emplace(cell.factors, cell.block);
    if (is_new) {
      cells.push_back(cell.factors);
      continue;
    }
    if (!is_changed || first->second == cell.block)
      return fail({what, "the same trial stands in it twice: " + cell_text(cell.factors),
                   "drop the repeated value or workload; --reps repeats a whole study"});
    ++repeated;
  }
  if (repeated > 0)
    notes.push_back(
        fmt::format("{} trial{} of one block of the study {} one of another block with these settings: "
                    "measured once",
                    repeated, repeated == 1 ? "" : "s", repeated == 1 ? "is" : "are"));
  return cells;
}

// `name`: a factor whose values are stacks.
Result<> check_stack_names(const Study& study, const char* name, const std::string& what) {
  std::set<std::string> named;
  for (const StudyWorkload& workload : study.workloads)
    for (const std::string& stack : values_of(study, workload, name)) named.insert(stack);
  const Factor& factor = *find_factor(common_factors(), name);
  std::vector<std::string_view> known = factor.choices;
  for (const auto& [name, stack] : study.stacks) known.push_back(name);
  for (const std::string& stack : named)
    if (std::find(known.begin(), known.end(), stack) == known.end())
      return fail({what, fmt::format("there is no stack '{}'", stack),
                   fmt::format("{} (one of your own is described under [stack.{}])", suggestion(stack, known),
                               stack)});
  return {};
}

std::string trials_text(double trials) {
  return trials < 1e15 ? with_thousands(static_cast<std::uint64_t>(trials))
                       : fmt::format("about {:.0e}", trials);
}

// A stack may be another one's kernel for guests, too.
void note_unused_stacks(const Study& study, Plan& plan) {
  for (const auto& [name, stack] : study.stacks) {
    const auto names = [&, &name = name](const PlannedTrial& trial) {
      return std::any_of(trial.factors.begin(), trial.factors.end(), [&](const auto& factor) {
        return (factor.first == "stack" || factor.first == "guest_kernel") && factor.second == name;
      });
    };
    if (std::none_of(plan.trials.begin(), plan.trials.end(), names))
      plan.notes.push_back(
          fmt::format("no trial is of stack '{0}': stack = \"{0}\" under [factors] asks for it, "
                      "or --set stack={0}",
                      name));
  }
}

}  // namespace

nlohmann::json effective_settings(const Plan& plan) {
  const Study& study = plan.study;
  nlohmann::json workloads = nlohmann::json::array();
  for (const StudyWorkload& workload : study.workloads) {
    FactorValues factors = workload.factors;
    factors.insert(workload.common.begin(), workload.common.end());
    workloads.push_back({{"name", workload.name}, {"factors", std::move(factors)}});
  }
  nlohmann::json settings = {{"machine", study.machine},
                             {"repetitions", repetitions_of(study)},
                             {"factors", study.factors},
                             {"workloads", std::move(workloads)}};
  if (study.speed) settings["speed"] = to_json(*study.speed);
  if (study.terms) settings["terms"] = true;
  if (!study.left_out.empty()) settings["left_out"] = study.left_out;
  if (!plan.set_aside.empty()) settings["set_aside"] = plan.set_aside;
  return settings;
}

double count_trials(const Study& study) {
  double all = 0;
  for (const StudyWorkload& workload : study.workloads) {
    double cells = 1;
    for (const Axis& axis : axes_of(study, workload)) cells *= static_cast<double>(axis.values->size());
    all += cells;
  }
  return all * repetitions_of(study);
}

Result<Plan> make_plan(Study study, const Overrides& overrides) {
  if (auto applied = apply(overrides, study); !applied) return fail(applied.error());
  const bool is_sized = study.machine == kHostMachine && !study.repetitions;
  study.repetitions = repetitions_of(study);
  auto variations = variations_of(overrides.vary);
  if (!variations) return fail(variations.error());
  if (!variations->empty() && study.machine != "lab") {
    return fail({fmt::format("cannot use --vary {}", printable(overrides.vary)),
                 "it perturbs the lab's machines, and this study runs on another",
                 "a real machine varies by itself: --reps says by how much"});
  }
  const std::string what = fmt::format("cannot plan study {}", printable(study.name));
  if (auto checked = check_machine(study, what); !checked) return fail(checked.error());
  for (const char* factor : {"stack", "guest_kernel"})
    if (auto checked = check_stack_names(study, factor, what); !checked) return fail(checked.error());
  if (const double trials =
          count_trials(study) * (1 + static_cast<double>(variations->size()) / *study.repetitions);
      trials > static_cast<double>(kMostTrials)) {
    return fail({what,
                 fmt::format("it would make {} trials; the most is {}", trials_text(trials),
                             with_thousands(kMostTrials)),
                 "name fewer values, or fewer repetitions; several small studies do as well"});
  }
  Plan plan;
  plan.notes = study.notes;
  auto pass =
      without_repeats(pass_of(study), !overrides.set.empty() || !overrides.machine.empty(), what, plan.notes);
  if (!pass) return fail(pass.error());
  auto possible = only_possible(study.machine, std::move(*pass), what, plan.notes);
  if (!possible) return fail(possible.error());
  auto meaningful = only_meaningful(study.machine, std::move(*possible), what);
  if (!meaningful) return fail(meaningful.error());
  if (is_sized) study.repetitions = host_repetitions(meaningful->cells);
  for (int repetition = 1; repetition <= *study.repetitions; ++repetition) {
    for (auto cell : meaningful->cells) {
      if (!variations->empty()) cell["variation"] = "none";
      plan.trials.push_back({plan.trials.size(), repetition, std::move(cell)});
    }
  }
  for (const std::string& variation : *variations) {
    for (auto cell : meaningful->cells) {
      cell["variation"] = variation;
      plan.trials.push_back({plan.trials.size(), 1, std::move(cell)});
    }
  }
  plan.variations = std::move(*variations);
  plan.set_aside = std::move(meaningful->set_aside);
  plan.notes.insert(plan.notes.end(), meaningful->notes.begin(), meaningful->notes.end());
  note_unused_stacks(study, plan);
  plan.study = std::move(study);
  return plan;
}

}  // namespace vtax
