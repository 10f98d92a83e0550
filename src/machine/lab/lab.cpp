#include "machine/lab/lab.h"

#include <algorithm>
#include <set>

#include "machine/lab/lab_identity.h"

namespace vtax::lab {

Result<> Lab::check(const std::vector<Trial>& trials) const {
  if (!options_.sources.has_own()) return {};
  std::set<PlatformId> kinds;
  bool any_has_xen = false;
  for (const Trial& trial : trials) {
    const auto platform = platform_named(trial.factors.at("platform"));
    if (!platform) continue;  // the trial says so itself
    any_has_xen = any_has_xen || has_xen(*platform);
    kinds.insert(facts_of(*platform).lab_machine);
  }
  if (options_.sources.xen && !any_has_xen)
    return fail(
        {"cannot use --xen", "no platform of this run has Xen", "for example --set platform=native,xen-pv"});
  return check_sources(kinds, options_.sources);
}

Result<std::string> Lab::identify(const std::vector<Trial>& trials, const OnStep& on_step) {
  auto identity =
      identify_lab(trials, options_.sources, [&](std::string_view step) { on_step(std::string(step)); });
  if (!identity) return fail(identity.error());
  options_.images = std::move(identity->images);
  return std::move(identity->json);
}

Result<> Lab::run(std::vector<Trial> trials, const MachineEvents& events) {
  return run_in_lab(std::move(trials), options_, events);
}

}  // namespace vtax::lab
