#include "machine/host/host_run.h"

#include <optional>
#include <set>

#include "core/interruption.h"
#include "machine/host/host_readiness.h"
#include "machine/host/host_trial.h"

namespace vtax::host {
namespace {

struct Guests {
  std::optional<lab::PackageCache> cache;  // some of the parts may go with it
  std::map<std::string, GuestParts> parts;
};

Result<Guests> prepare_guests(const std::set<std::string>& platforms, const HostRunEvents& events) {
  Guests guests;
  for (const std::string& platform : platforms) {
    if (!has_guest(platform)) continue;
    if (!guests.cache) {
      auto cache = lab::PackageCache::open();
      if (!cache) return fail(cache.error());
      guests.cache = std::move(*cache);
    }
    auto parts = prepare_guest(platform, *guests.cache,
                               [&](std::string_view step) { events.on_step(std::string(step)); });
    if (!parts) return fail(parts.error());
    guests.parts.emplace(platform, std::move(*parts));
  }
  return guests;
}

}  // namespace

Result<> run_on_host(std::vector<Trial> trials, const HostRunEvents& events) {
  std::set<std::string> platforms;
  for (const Trial& trial : trials) platforms.insert(trial.factors.at("platform"));
  for (const std::string& platform : platforms) {
    const PlatformCheck check = examine_platform(platform);
    if (interrupted()) return fail(interruption_error());  // what was not found may be there
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
    const auto done = run_host_trial(trial, guests->parts, [](const std::string&) {});
    if (!done && done.error().code == ExitCode::interrupted) return done;
    if (!done) trial.error = done.error().text();
    if (auto kept = events.on_finished(std::move(trial)); !kept) return kept;
  }
  return {};
}

}  // namespace vtax::host
