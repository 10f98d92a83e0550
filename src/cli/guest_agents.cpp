#include "cli/guest_agents.h"

#include <fmt/format.h>

#include <set>

#include "cli/token_options.h"
#include "core/readable.h"

namespace vtax {

void add_guest_agents(CLI::App& app, GuestAgentsGiven& given) {
  app.add_option(
         "--guest", given.guests,
         "NAME=ADDRESS[:PORT], NAME=vsock:CID[:PORT]: ask the agent in this guest, too; again for each")
      ->type_name("NAME=ADDRESS");
  add_secret(app, given.token, given.token_file);
}

Result<std::vector<profile::AgentAddress>> addresses_of(const GuestAgentsGiven& given) {
  std::vector<profile::AgentAddress> all;
  std::set<std::string> names;
  for (const std::string& text : given.guests) {
    auto address = profile::parse_agent_address(text);
    if (!address) return fail(address.error());
    if (address->guest == "host" || address->guest == "Domain-0")
      return fail({fmt::format("no guest can be called '{}'", address->guest),
                   "that is this computer's own side", "a guest's own name, as `vtax top` shows it"});
    if (!names.insert(address->guest).second)
      return fail({fmt::format("--guest {} was given twice", printable(address->guest)), "", ""});
    all.push_back(std::move(*address));
  }
  return all;
}

}  // namespace vtax
