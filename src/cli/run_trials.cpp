#include "cli/run_trials.h"

#include <fmt/format.h>

#include <set>

#include "cli/progress_line.h"
#include "cli/time_left.h"
#include "query/cell.h"
#include "query/phrase.h"

namespace vtax {
namespace {

// Names a run's trials by what varies in their study.
class TrialNames {
 public:
  explicit TrialNames(const Plan& plan) : repeats_(plan.study.repetitions > 1) {
    for (const PlannedTrial& trial : plan.trials) {
      Factors factors = trial.factors;
      factors.erase(kVariation);
      varying_.add(factors);
    }
  }

  [[nodiscard]] std::string of(const Trial& trial) const {
    std::string name = trial_name(trial.factors, varying_.of(trial.factors.at("workload")));
    return repeats_ ? fmt::format("{}, run {}", name, trial.repetition) : name;
  }

 private:
  bool repeats_;
  VaryingFactors varying_;
};

std::string kind_of(const Trial& trial) {
  return trial.factors.at("platform") + " " + trial.factors.at("workload");
}

// What a run does with what its machine tells.
class RunningTrials {
 public:
  RunningTrials(const std::vector<Trial>& trials, const Plan& plan, int at_once, RunWriter& writer,
                TrialsKept& kept)
      : names_(plan), progress_(trials.size()), time_(at_once), writer_(writer), kept_(kept) {
    for (const Trial& trial : trials) time_.plan(kind_of(trial));
  }

  void note(const std::string& text) { progress_.note(text); }

  MachineEvents events() {
    MachineEvents events;
    events.on_step = [this](const std::string& step) { progress_.step(step); };
    events.on_boots = [this](const Boots& boots) {
      time_.boots(boots.left, boots.done, boots.spent);
      say_time_left();
    };
    events.on_start = [this](const Trial& trial) {
      time_.start(trial.index, TimeLeft::Clock::now());
      progress_.started(names_.of(trial));
    };
    events.on_finished = [this](const Trial& trial) { return finish(trial); };
    events.on_not_tried = [this](const Error& why, const std::vector<Trial>& trials) {
      return leave_out(why, trials);
    };
    return events;
  }

 private:
  Result<> finish(const Trial& trial) {
    if (!trial.error.empty())
      progress_.note(fmt::format("failed: {}\n  {}", names_.of(trial), why_failed(trial.error)));
    time_.finish(trial.index, kind_of(trial), TimeLeft::Clock::now());
    say_time_left();
    progress_.finished(names_.of(trial));
    return keep(trial);
  }

  Result<> leave_out(const Error& why, const std::vector<Trial>& trials) {
    progress_.note(fmt::format("failed: {}\n  left out therefore, until --resume: {} trials of {}",
                               why_failed(why.text()), trials.size(), kind_of(trials.front())));
    progress_.skip(trials.size());
    for (const Trial& trial : trials) {
      time_.finish(trial.index, kind_of(trial), TimeLeft::Clock::now());
      if (auto kept = keep(trial); !kept) return kept;
    }
    say_time_left();
    return {};
  }

  Result<> keep(const Trial& trial) {
    if (!trial.error.empty()) ++kept_.failed;
    auto kept = writer_.append(trial);
    if (kept) ++kept_.all;
    return kept;
  }

  std::string why_failed(const std::string& error) {
    return said_.insert(error).second ? error : std::string("the same as before");
  }

  void say_time_left() { progress_.left(left_text(time_.estimate())); }

  TrialNames names_;
  ProgressLine progress_;
  TimeLeft time_;
  RunWriter& writer_;
  TrialsKept& kept_;
  std::set<std::string> said_;
};

}  // namespace

Result<> run_trials(std::vector<Trial> trials, const Plan& plan, Machine& machine,
                    const std::vector<std::string>& notes, RunWriter& writer, TrialsKept& kept) {
  RunningTrials running(trials, plan, machine.at_once(), writer, kept);
  for (const std::string& note : notes) running.note(note);
  return machine.run(std::move(trials), running.events());
}

}  // namespace vtax
