#include "cli/calibration.h"

#include <fmt/format.h>

#include <cmath>
#include <optional>

#include "core/readable.h"
#include "model/capacity.h"
#include "query/cell.h"
#include "query/find_cell.h"
#include "query/measured.h"
#include "study/catalogue.h"
#include "study/plan.h"

namespace vtax {
namespace {

constexpr double kCloseEnough = 0.01;
constexpr int kMostTries = 8;

bool is_usual(const Study& study, const std::string& factor) {
  return study.factors.at(factor) ==
         std::vector<std::string>{std::string(find_factor(common_factors(), factor)->fallback)};
}

// The cell as a study of its own; whatever it does not name has its usual value.
Result<Trial> trial_of(const Speed& speed, long mips) {
  std::string common, own;
  for (const auto& [factor, value] : speed.of) {
    if (factor == "workload") continue;
    std::string& into = find_factor(common_factors(), factor) != nullptr ? common : own;
    into += fmt::format("{} = \"{}\"\n", factor, value);
  }
  if (speed.of.count("link_mbps") == 0) common += fmt::format("link_mbps = \"{:.0f}\"\n", speed.link_mbps);
  auto study = parse_study(
      fmt::format("name = \"calibration\"\nquestion = \"\"\nrepetitions = 1\n[factors]\ncpu_mips = \"{}\"\n{}"
                  "[[workload]]\nname = \"{}\"\n{}",
                  mips, common, speed.of.at("workload"), own),
      "[speed]");
  if (!study) return fail(study.error());
  auto plan = make_plan(std::move(*study), {});
  if (!plan) return fail(plan.error());
  Trial trial;
  trial.factors = plan->trials.front().factors;
  return trial;
}

struct BusyAt {
  double rate = 0;   // Mb/s, or transactions a second
  double share = 0;  // of the system's busiest CPU
};

Result<BusyAt> run_once(const Speed& speed, long mips, Machine& lab, const OnStep& on_step) {
  auto trial = trial_of(speed, mips);
  if (!trial) return fail(trial.error());
  std::optional<Trial> done;
  MachineEvents events;
  events.on_step = on_step;
  events.on_start = [](const Trial&) {};
  events.on_finished = [&](Trial finished) -> Result<> {
    done = std::move(finished);
    return {};
  };
  if (auto ran = lab.run({std::move(*trial)}, events); !ran) return fail(ran.error());
  const std::string what = "cannot set the lab's speed by " + cell_name(speed.of);
  if (!done || !done->error.empty())
    return fail({what, done ? done->error : "its trial did not run", "", ExitCode::trial_failed});
  const WindowCost cost = window_cost(*done);
  const auto rate = measured_rate(cost);
  if (!rate) return fail({what, "it counted no work", "", ExitCode::trial_failed});
  return BusyAt{*rate, busiest_share(cost)};
}

Result<long> search(const Speed& speed, Machine& lab, const OnStep& on_step) {
  const Factor& allowed = *find_factor(common_factors(), "cpu_mips");
  const auto least = static_cast<double>(allowed.low), most = static_cast<double>(allowed.high);
  double mips = 500;
  for (int i = 0; i < kMostTries; ++i) {
    on_step(fmt::format("setting the speed by {}: trying {:.0f} MIPS", cell_name(speed.of), mips));
    const auto point = run_once(speed, std::lround(mips), lab, on_step);
    if (!point) return fail(point.error());
    // What the busiest CPU would take at the wanted rate, batching as it is now.
    const double share = point->share * speed.rate / point->rate;
    const double next = std::round(mips * share / (speed.cpu_percent / 100));
    if (std::abs(next / mips - 1) <= kCloseEnough || next == mips) return std::lround(next);
    if (next < least || next > most)
      return fail({"cannot set the lab's speed by " + cell_name(speed.of),
                   fmt::format("it would need {:.0f} million instructions a second", next),
                   "the lab's CPUs execute " + allowed_values(allowed), ExitCode::trial_failed});
    mips = next;
  }
  return std::lround(mips);  // batching goes to and fro between two speeds
}

}  // namespace

Result<> set_speed(Study& study, Machine& lab, const OnStep& on_step) {
  if (!study.speed) return {};
  const Speed& speed = *study.speed;
  if (speed.link_mbps > 0 && is_usual(study, "link_mbps"))
    study.factors["link_mbps"] = {fmt::format("{:.0f}", speed.link_mbps)};
  if (!is_usual(study, "cpu_mips")) return {};
  long mips = std::lround(speed.cpu_mips);
  if (mips == 0) {
    const auto found = search(speed, lab, on_step);
    if (!found) return fail(found.error());
    mips = *found;
  }
  study.factors["cpu_mips"] = {std::to_string(mips)};
  return {};
}

}  // namespace vtax
