#include "machine/lab/lab.h"

#include <algorithm>
#include <set>

#include "machine/lab/lab_identity.h"

namespace vtax::lab {

Result<> Lab::check(const std::vector<Trial>& trials) const {
  const auto stacks = kinds_by_stack(trials);
  const bool any_has_xen = std::any_of(stacks.begin(), stacks.end(), [](const auto& stack) {
    return std::any_of(stack.second.begin(), stack.second.end(), has_xen);
  });
  if (options_.sources.xen && !any_has_xen)
    return fail(
        {"cannot use --xen", "no platform of this run has Xen", "for example --set platform=native,xen-pv"});
  return check_own_builds(trials, options_);
}

Result<std::string> Lab::identify(const std::vector<Trial>& trials, const OnStep& on_step) {
  auto identity = identify_lab(trials, options_.sources, options_.stacks,
                               [&](std::string_view step) { on_step(std::string(step)); });
  if (!identity) return fail(identity.error());
  options_.images = std::move(identity->images);
  return std::move(identity->json);
}

Result<> Lab::run(std::vector<Trial> trials, const MachineEvents& events) {
  return run_in_lab(std::move(trials), options_, events);
}

}  // namespace vtax::lab
