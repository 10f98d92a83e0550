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

namespace vtax::host {
namespace {

// What a trial's machine is made of.
using MadeOf = std::pair<PlatformId, Setup>;

MadeOf made_of(const Trial& trial) {
  const TrialSpec spec = trial_spec_of(trial.factors).value_or(TrialSpec());
  return {spec.platform, Setup::of(spec)};
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

struct Guests {
  std::optional<lab::PackageCache> cache;  // some of the parts may go with it
  std::map<PlatformId, GuestParts> parts;
};

// Of all platforms, whether they run here, and what their guests boot.
Result<Guests> prepare_guests(const std::vector<Trial>& trials, const OnStep& on_step) {
  std::set<PlatformId> platforms;
  for (const Trial& trial : trials) {
    const auto spec = trial_spec_of(trial.factors);
    if (!spec) return fail(spec.error());
    platforms.insert(spec->platform);
  }
  for (const PlatformId platform : platforms) {
    const PlatformCheck check = examine_platform(platform);
    if (interrupted()) return fail(interruption_error());  // what was not found may be there
    if (check.state == lab::State::missing)
      return fail(Error{fmt::format("cannot run the platform {} on this computer", name_of(platform)),
                        check.detail, check.mend, ExitCode::unavailable});
  }
  Guests guests;
  for (const PlatformId platform : platforms) {
    if (!has_guest(platform)) continue;
    if (!guests.cache) {
      auto cache = lab::PackageCache::open();
      if (!cache) return fail(cache.error());
      guests.cache = std::move(*cache);
    }
    auto parts =
        prepare_guest(platform, *guests.cache, [&](std::string_view step) { on_step(std::string(step)); });
    if (!parts) return fail(parts.error());
    guests.parts.emplace(platform, std::move(*parts));
  }
  return guests;
}

}  // namespace

Result<std::string> identify_host(const std::vector<Trial>& trials, const OnStep& on_step) {
  const auto guests = prepare_guests(trials, on_step);
  if (!guests) return fail(guests.error());
  const auto own = fast_hash_of_file("/proc/self/exe");
  if (!own) return fail(own.error());
  nlohmann::json all = {{"vtax", *own}, {"computer", nlohmann::json::parse(facts_of_this_computer())}};
  for (const auto& [platform, parts] : guests->parts)
    all[fmt::format("guest of {}", name_of(platform))] = parts.provenance;
  return all.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

Result<> run_on_host(std::vector<Trial> trials, const MachineEvents& events) {
  const auto guests = prepare_guests(trials, events.on_step);
  if (!guests) return fail(guests.error());
  UnmadeMachines unmade;
  for (std::size_t next = 0; next < trials.size(); ++next) {
    if (interrupted()) return fail(interruption_error());
    Trial& trial = trials[next];
    const MadeOf machine = made_of(trial);
    events.on_start(trial);
    // Whoever hears of its start knows enough: as in the lab.
    bool made = false;
    const auto done = run_host_trial(trial, guests->parts, [&](const std::string& step) {
      made = made || step.starts_with(kMeasuringStep);
    });
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
