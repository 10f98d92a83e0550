#include "cli/dry_run.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <string>
#include <vector>

#include "cli/say.h"
#include "core/readable.h"
#include "machine/host/disk_folder.h"
#include "machine/host/host_readiness.h"
#include "machine/lab/lab_machine.h"
#include "machine/lab/readiness.h"
#include "machine/lab/variation.h"
#include "machine/parts/package_cache.h"
#include "query/cell.h"
#include "study/host_pace.h"
#include "study/machine_rules.h"
#include "study/meaning.h"

namespace vtax {
namespace {

// Seconds of one CPU, rough: docs/benchmarks.md, rows on boots and on a cell with five repetitions.
struct Pace {
  double boot, cell, repetition;
};

Pace pace_of(PlatformId lab_machine) {
  switch (lab_machine) {
    case PlatformId::native:
      return {10, 4, 0.7};
    case PlatformId::kvm:
    case PlatformId::kvm_qemu:
      return {25, 8, 3};
    case PlatformId::xen_hvm:
    case PlatformId::xen_hvm_pv:
      return {160, 20, 8};
    default:
      return {60, 8, 3};
  }
}

constexpr double kCompile = 10;  // times another workload's

struct Machines {
  std::set<std::pair<lab::MachineKind, lab::Variation>> kinds;
  std::set<PlatformId> images;
};

bool is_compile(const PlannedTrial& trial) {
  return trial.factors.at("workload") == "compile";
}

double host_seconds(const std::vector<const PlannedTrial*>& trials) {
  double seconds = 0;
  for (const PlannedTrial* trial : trials) seconds += host_trial_seconds(trial->factors);
  return seconds;
}

double lab_seconds(const std::vector<const PlannedTrial*>& trials, const Machines& machines, int jobs) {
  double seconds = 0, longest_boot = 0;
  std::set<std::map<std::string, std::string>> cells;
  for (const PlannedTrial* trial : trials) {
    const Pace pace = pace_of(platform_of(trial->factors).lab_machine);
    const double times = is_compile(*trial) ? kCompile : 1;
    seconds += pace.repetition * times + (cells.insert(trial->factors).second ? pace.cell : 0);
  }
  for (const auto& [kind, variation] : machines.kinds) {
    seconds += pace_of(kind.image).boot;
    longest_boot = std::max(longest_boot, pace_of(kind.image).boot);
  }
  return std::max(longest_boot, seconds / jobs);
}

std::string minutes_text(double seconds) {
  constexpr double kMinute = 60, kHour = 3600;
  if (seconds <= kMinute) return "a minute at most";
  if (seconds < 2 * kHour) return fmt::format("some {:.0f} minutes", std::ceil(seconds / kMinute));
  return fmt::format("some {:.0f} hours", std::ceil(seconds / kHour));
}

// What is fetched is no defect: nothing is to be done about it, and how it was not found is nobody's trouble.
void say_need(lab::State state, std::string_view name, const std::string& detail, const std::string& mend) {
  if (state == lab::State::fetchable)
    say("is fetched first: {}\n", name);
  else
    say("is missing here: {}: {}\n", name, mend.empty() ? detail : fmt::format("{} -> {}", detail, mend));
}

void say_needs_of_lab(const std::set<PlatformId>& kinds) {
  for (const lab::Check& check : lab::examine_machine()) {
    const bool is_needed =
        check.needed_by == nullptr ||
        std::any_of(kinds.begin(), kinds.end(), [&](PlatformId kind) { return check.needed_by(kind); });
    if (!is_needed || check.state == lab::State::good) continue;
    say_need(check.state, check.name, check.detail, check.mend);
  }
}

void say_needs_of_host(const std::vector<const PlannedTrial*>& trials) {
  std::set<PlatformId> platforms;
  for (const PlannedTrial* trial : trials) platforms.insert(platform_of(trial->factors).id);
  for (const PlatformId platform : platforms) {
    const host::PlatformCheck check = host::examine_platform(platform);
    if (check.state == lab::State::good) continue;
    say_need(check.state, name_of(platform), check.detail, check.mend);
  }
  const bool has_program = std::any_of(trials.begin(), trials.end(), [](const PlannedTrial* trial) {
    return find_workload(trial->factors.at("workload"))->has_program;
  });
  if (!has_program) return;
  if (const auto confined = host::examine_programs(); !confined)
    say_need(lab::State::missing, "programs of one's own",
             fmt::format("{}: {}", confined.error().what, confined.error().why), confined.error().next);
}

std::string names_of(const std::vector<lab::Package>& packages) {
  std::string names;
  for (const lab::Package& package : packages) names += (names.empty() ? "" : ", ") + package.name;
  return names;
}

// The packages of programs: those that the cache has, and those that apt would bring.
void say_packages(const std::vector<const PlannedTrial*>& trials) {
  std::set<std::string> lists;
  for (const PlannedTrial* trial : trials) {
    const auto named = trial->factors.find("packages");
    if (named != trial->factors.end() && !named->second.empty()) lists.insert(named->second);
  }
  if (lists.empty()) return;
  const auto cache = lab::PackageCache::open();
  for (const std::string& list : lists) {
    const lab::WantedSet set = lab::wanted_programs(list);
    if (const auto there = cache ? cache->find(set.name) : std::nullopt) {
      say("in the cache already: {}\n", names_of(there->packages));
      continue;
    }
    const auto packages = set.resolve(lab::Apt());
    if (packages)
      say("is fetched first: {} ({})\n", names_of(*packages), lab::readable_size(*packages));
    else
      say_need(lab::State::missing, "packages " + list, packages.error().why, packages.error().next);
  }
}

Result<Machines> machines_of(const std::vector<const PlannedTrial*>& trials) {
  Machines machines;
  for (const PlannedTrial* trial : trials) {
    const auto kind = lab::machine_of(trial->factors);
    if (!kind) return fail(kind.error());
    const auto named = trial->factors.find(std::string(kVariation));
    const auto variation = named == trial->factors.end()
                               ? lab::Variation()
                               : lab::variation_of(named->second).value_or(lab::Variation());
    machines.kinds.emplace(*kind, variation.at_boot());
    machines.images.insert(kind->image);
  }
  return machines;
}

// A row for each platform and workload, in the order of the plan.
void say_rows(const std::vector<const PlannedTrial*>& trials) {
  std::vector<std::pair<std::string, std::string>> order;
  std::map<std::pair<std::string, std::string>,
           std::pair<std::size_t, std::set<std::map<std::string, std::string>>>>
      rows;
  for (const PlannedTrial* trial : trials) {
    const std::pair key(trial->factors.at("platform"), trial->factors.at("workload"));
    auto& [count, cells] = rows[key];
    if (count++ == 0) order.push_back(key);
    cells.insert(trial->factors);
  }
  for (const auto& key : order)
    say("  {:<12} {:<12} {:>6} cells {:>7} trials\n", key.first, key.second,
        with_thousands(rows[key].second.size()), with_thousands(rows[key].first));
}

std::vector<const PlannedTrial*> trials_at(const Plan& plan, const std::set<std::uint64_t>& places) {
  std::vector<const PlannedTrial*> trials;
  for (const PlannedTrial& trial : plan.trials)
    if (places.contains(trial.index)) trials.push_back(&trial);
  return trials;
}

bool is_on_host(const Plan& plan) {
  return plan.study.machine == kHostMachine;
}

}  // namespace

Result<std::string> expected_time(const Plan& plan, const std::set<std::uint64_t>& places, int jobs) {
  const auto trials = trials_at(plan, places);
  if (is_on_host(plan)) return minutes_text(host_seconds(trials));
  const auto machines = machines_of(trials);
  if (!machines) return fail(machines.error());
  return minutes_text(lab_seconds(trials, *machines, jobs));
}

std::vector<std::string> doubts_of_host(const Plan& plan) {
  const bool has_disk =
      is_on_host(plan) && std::any_of(plan.trials.begin(), plan.trials.end(), [](const auto& trial) {
        const auto store = trial.factors.find("store");
        return store != trial.factors.end() && store->second == "tmpdir";
      });
  std::string doubt = has_disk ? host::doubt_of_disk(host::disk_folder()) : "";
  return doubt.empty() ? std::vector<std::string>() : std::vector{std::move(doubt)};
}

Result<> say_what_would_run(const Plan& plan, const std::set<std::uint64_t>& places, int jobs) {
  const std::vector<const PlannedTrial*> trials = trials_at(plan, places);
  const bool on_host = is_on_host(plan);
  const auto time = expected_time(plan, places, jobs);
  if (!time) return fail(time.error());
  say("Study {}: {} {}{} on machine {}, {} of each cell\n", plan.study.name, with_thousands(trials.size()),
      trials.size() == 1 && plan.trials.size() == 1 ? "trial" : "trials",
      trials.size() == plan.trials.size() ? "" : fmt::format(" of {}", with_thousands(plan.trials.size())),
      plan.study.machine, repetitions_of(plan.study));
  say_rows(trials);
  for (const std::string& note : plan.notes) say("- {}\n", note);
  if (on_host) {
    for (const std::string& doubt : doubts_of_host(plan)) say("- {}\n", doubt);
    say_needs_of_host(trials);
  } else {
    const auto machines = machines_of(trials);
    if (!machines) return fail(machines.error());
    say("machines to boot: {} at most; those that this build of vtax booted before are there already\n",
        machines->kinds.size());
    if (plan.study.speed && plan.study.speed->cpu_mips == 0)
      say("before them its speed is set by one cell, in eight trials at most\n");
    say_needs_of_lab(machines->images);
  }
  say_packages(trials);
  say("about: {} on {}, boots included, downloads not; a computer that does other things takes longer\n",
      *time, on_host ? "one CPU" : fmt::format("{} CPUs", jobs));
  return {};
}

}  // namespace vtax
