#include "machine/host/host.h"

#include <fmt/format.h>

#include "machine/host/host_run.h"

namespace vtax::host {

Result<> Host::check(const std::vector<Trial>&) const {
  if (own_build_.empty()) return {};
  return fail({fmt::format("cannot use {} on machine host", own_build_),
               "what runs there is this computer's own kernel", "leave it out, or run the study in the lab"});
}

Result<std::string> Host::identify(const std::vector<Trial>& trials, const OnStep& on_step) {
  return identify_host(trials, on_step);
}

Result<> Host::run(std::vector<Trial> trials, const MachineEvents& events) {
  return run_on_host(std::move(trials), events);
}

}  // namespace vtax::host
