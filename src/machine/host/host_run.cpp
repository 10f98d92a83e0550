#include "machine/host/host_run.h"

#include <set>

#include "core/interruption.h"
#include "machine/host/host_readiness.h"
#include "machine/host/host_trial.h"

namespace vtax::host {
namespace {

Result<std::map<std::string, GuestParts>> prepare_guests(const std::set<std::string>& platforms,
                                                         const HostRunEvents& events) {
  std::map<std::string, GuestParts> guests;
  for (const std::string& platform : platforms) {
    if (!has_guest(platform)) continue;
    auto cache = lab::PackageCache::open();
    if (!cache) return fail(cache.error());
    auto parts =
        prepare_guest(platform, *cache, [&](std::string_view step) { events.on_step(std::string(step)); });
    if (!parts) return fail(parts.error());
    guests.emplace(platform, std::move(*parts));
  }
  return guests;
}

}  // namespace

Result<> run_on_host(std::vector<Trial> trials, const HostRunEvents& events) {
  std::set<std::string> platforms;
  for (const Trial& trial : trials) platforms.insert(trial.factors.at("platform"));
  for (const std::string& platform : platforms) {
    const PlatformCheck check = examine_platform(platform);
    if (check.state == lab::State::missing)
      return fail(Error{"cannot run the platform " + platform + " on this computer", check.detail, check.mend,
                        ExitCode::unavailable});
  }
  const auto guests = prepare_guests(platforms, events);
  if (!guests) return fail(guests.error());
  for (Trial& trial : trials) {
    if (interrupted()) return fail(interruption_error());
    events.on_start(trial);
    // Whoever hears of its start knows enough: as in the lab.
    const auto done = run_host_trial(trial, *guests, [](const std::string&) {});
    if (!done && done.error().code == ExitCode::interrupted) return done;
    if (!done) trial.error = done.error().text();
    if (auto kept = events.on_finished(std::move(trial)); !kept) return kept;
  }
  return {};
}

}  // namespace vtax::host
