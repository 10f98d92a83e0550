#include "machine/host/host_run.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>

#include "core/fast_hash.h"
#include "core/interruption.h"
#include "machine/computer.h"
#include "machine/host/host_readiness.h"
#include "machine/host/host_trial.h"
#include "machine/parts/gathered_program.h"
#include "machine/parts/package_json.h"

namespace vtax::host {
namespace {

lab::WorkloadFiles program_of(const TrialSpec& spec) {
  return {false, spec.packages, spec.files};
}

// What a trial's machine is made of. A guest's memory is for its program, too.
using MadeOf = std::tuple<PlatformId, Setup, lab::WorkloadFiles>;

MadeOf made_of(const Trial& trial) {
  const TrialSpec spec = trial_spec_of(trial.factors).value_or(TrialSpec());
  return {spec.platform, Setup::of(spec), program_of(spec)};
}

// Which machines could not be made, and why the last time.
class UnmadeMachines {
 public:
  bool failed_again(const MadeOf& machine, const Error& why) {
    const auto [known, is_new] = last_.try_emplace(machine, why);
    if (is_new) return false;
    const bool again = is_same_failure(known->second, why);
    known->second = why;
    return again;
  }

 private:
  std::map<MadeOf, Error> last_;
};

Result<HostProgram> prepare_program(const lab::WorkloadFiles& files, lab::PackageCache& cache,
                                    const OnStep& on_step) {
  auto gathered = lab::gather_program(
      files, cache, lab::Apt(), [&](std::string_view step) { on_step(std::string(step)); },
      lab::Fetch::content);
  if (!gathered) return fail(gathered.error());
  HostProgram program{std::move(gathered->tree)};
  if (gathered->set) {
    program.provenance["packages"] = lab::to_json(gathered->set->packages);
    program.in_use = gathered->set->in_use;
  }
  if (gathered->own)
    program.provenance["files"] = {{"path", gathered->own->path}, {"sha256", gathered->own->sha256}};
  return program;
}

}  // namespace

Result<HostParts> prepare_host(const std::vector<Trial>& trials, const OnStep& on_step) {
  std::set<PlatformId> platforms;
  std::set<lab::WorkloadFiles> programs;
  for (const Trial& trial : trials) {
    const auto spec = trial_spec_of(trial.factors);
    if (!spec) return fail(spec.error());
    platforms.insert(spec->platform);
    if (spec->workload == WorkloadId::program) programs.insert(program_of(*spec));
  }
  for (const PlatformId platform : platforms) {
    const PlatformCheck check = examine_platform(platform);
    if (interrupted()) return fail(interruption_error());  // what was not found may be there
    if (check.state == lab::State::missing)
      return fail(Error{fmt::format("cannot run the platform {} on this computer", name_of(platform)),
                        check.detail, check.mend, ExitCode::unavailable});
  }
  if (!programs.empty())
    if (Result<> confined = examine_programs(); !confined) return fail(confined.error());
  HostParts all;
  if (!programs.empty() || std::any_of(platforms.begin(), platforms.end(), has_guest)) {
    auto cache = lab::PackageCache::open();
    if (!cache) return fail(cache.error());
    all.cache = std::move(*cache);
  }
  for (const PlatformId platform : platforms) {
    if (!has_guest(platform)) continue;
    auto parts =
        prepare_guest(platform, *all.cache, [&](std::string_view step) { on_step(std::string(step)); });
    if (!parts) return fail(parts.error());
    all.guests.emplace(platform, std::move(*parts));
  }
  for (const lab::WorkloadFiles& files : programs) {
    auto program = prepare_program(files, *all.cache, on_step);
    if (!program) return fail(program.error());
    all.programs.emplace(files, std::move(*program));
  }
  return all;
}

Result<std::string> identify_host(const HostParts& parts) {
  const auto own = fast_hash_of_file("/proc/self/exe");
  if (!own) return fail(own.error());
  nlohmann::json all = {{"vtax", *own}, {"computer", nlohmann::json::parse(facts_of_this_computer())}};
  for (const auto& [platform, guest] : parts.guests)
    all[fmt::format("guest of {}", name_of(platform))] = guest.provenance;
  for (const auto& [files, program] : parts.programs)
    all[fmt::format("program of {}, {}", files.packages, files.files)] = program.provenance;
  return all.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

Result<> run_on_host(std::vector<Trial> trials, const HostParts& parts, const MachineEvents& events) {
  UnmadeMachines unmade;
  for (std::size_t next = 0; next < trials.size(); ++next) {
    if (interrupted()) return fail(interruption_error());
    Trial& trial = trials[next];
    const MadeOf machine = made_of(trial);
    events.on_start(trial);
    // Whoever hears of its start knows enough: as in the lab.
    bool made = false;
    const auto program = parts.programs.find(program_of(trial_spec_of(trial.factors).value_or(TrialSpec())));
    const auto done = run_host_trial(
        trial, parts.guests,
        [&](const std::string& step) { made = made || step.starts_with(kMeasuringStep); }, true,
        program == parts.programs.end() ? nullptr : &program->second);
    if (!done && done.error().code == ExitCode::interrupted) return done;
    if (!done) trial.error = done.error().text();
    if (auto kept = events.on_finished(std::move(trial)); !kept) return kept;
    if (done || made || !unmade.failed_again(machine, done.error())) continue;
    const auto others =
        std::stable_partition(trials.begin() + static_cast<std::ptrdiff_t>(next) + 1, trials.end(),
                              [&](const Trial& other) { return made_of(other) != machine; });
    std::vector<Trial> left(std::make_move_iterator(others), std::make_move_iterator(trials.end()));
    trials.erase(others, trials.end());
    if (left.empty()) continue;
    if (auto kept = leave_untried(std::move(left), done.error(), events.on_not_tried, events.on_finished);
        !kept)
      return kept;
  }
  return {};
}

}  // namespace vtax::host
