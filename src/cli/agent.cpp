#include "cli/agent.h"

#include <fmt/format.h>

#include <cstdlib>
#include <iostream>
#include <memory>

#include "cli/measure_options.h"
#include "cli/token_options.h"
#include "core/readable.h"
#include "profile/agent.h"

namespace vtax {
namespace {

struct AgentGiven {
  profile::AgentOptions agent;
  std::string bind, token, token_file, lifetime;
};

Result<ExitCode> serve_as_agent(const AgentGiven& given) {
  profile::AgentOptions options = given.agent;
  if (auto good = no_token_in_arguments(given.token); !good) return fail(good.error());
  if (given.bind.empty() && !options.vsock_port)
    return fail(
        {"nowhere to listen", "neither --bind nor --vsock was given",
         "--bind 127.0.0.1 is this computer alone; --bind with the guest's own address, or --vsock 5291, "
         "is for its host"});
  options.tcp = !given.bind.empty();
  options.host = given.bind;
  if (!given.lifetime.empty()) {
    const auto lifetime = duration_of("--for", given.lifetime);
    if (!lifetime) return fail(lifetime.error());
    if (lifetime->count() <= 0)
      return fail({fmt::format("cannot use --for {}", printable(given.lifetime)), "no time is left to answer",
                   "for example --for 1h; without --for it ends by Ctrl-C"});
    options.lifetime = *lifetime;
  }
  if (given.token_file.empty() && std::getenv("VTAX_TOKEN") == nullptr)
    return fail(
        {"no token", "the agent answers only who has its token",
         "write one into a file that only you can read, and name it by --token-file here and on the host "
         "(docs/profile.md)"});
  const auto secret = secret_of(given.token, given.token_file);
  if (!secret) return fail(secret.error());
  if (auto served = profile::serve_profiles(
          options, *secret,
          [](const std::string& event) { std::cout << printable_lines(event) << std::endl; });
      !served)
    return fail(served.error());
  return ExitCode::ok;
}

Verb::Action add_agent_options(CLI::App& app) {
  auto given = std::make_shared<AgentGiven>();
  app.add_option("--bind", given->bind, "Address to listen on; there is no default")->type_name("ADDRESS");
  app.add_option("--port", given->agent.port, "Of TCP; 0: any")->capture_default_str();
  app.add_option("--vsock", given->agent.vsock_port, "Listen on this port of vsock, too: KVM's own way")
      ->type_name("PORT");
  add_secret(app, given->token, given->token_file);
  app.add_option("--for", given->lifetime, "End by itself after this time");
  return [given] { return serve_as_agent(*given); };
}

}  // namespace

Verb agent_verb() {
  return {"agent", "In a guest: the local monitor, which `vtax profile` on its host asks",
          "vtax agent --bind 192.0.2.7 --token-file /etc/vtax/token\n"
          "  VTAX_TOKEN=... vtax agent --vsock 5291",
          add_agent_options};
}

}  // namespace vtax
