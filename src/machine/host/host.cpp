#include "machine/host/host.h"

#include <fmt/format.h>

#include "machine/host/host_run.h"

namespace vtax::host {

Result<> Host::check(const std::vector<Trial>&) const {
  if (own_build_.empty()) return {};
  return fail({fmt::format("cannot use {} on machine host", own_build_),
               "what runs there is this computer's own kernel", "leave it out, or run the study in the lab"});
}

Result<> Host::prepare(const std::vector<Trial>& trials, const OnStep& on_step) {
  auto parts = prepare_host(trials, on_step);
  if (!parts) return fail(parts.error());
  parts_ = std::move(*parts);
  return {};
}

Result<std::string> Host::identify(const std::vector<Trial>& trials, const OnStep& on_step) {
  if (const auto prepared = prepare(trials, on_step); !prepared) return fail(prepared.error());
  return identify_host(*parts_);
}

Result<> Host::run(std::vector<Trial> trials, const MachineEvents& events) {
  if (!parts_)
    if (const auto prepared = prepare(trials, events.on_step); !prepared) return fail(prepared.error());
  return run_on_host(std::move(trials), *parts_, events);
}

}  // namespace vtax::host
