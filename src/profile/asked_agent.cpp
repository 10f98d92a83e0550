#include <fmt/format.h>

#include <algorithm>

#include "core/readable.h"
#include "profile/agent.h"
#include "profile/agent_connection.h"
#include "profile/wire.h"

namespace vtax::profile {
namespace {

constexpr std::chrono::seconds kToAnswer{5}, kToHandOver{10};
constexpr std::size_t kMostBelievedCpus = 4096;

}  // namespace

Result<AskedAgent> AskedAgent::ask(const AgentAddress& address, const Secret& secret,
                                   const MonitorOptions& options) {
  auto channel = connect_to_agent(address, secret);
  if (!channel) return fail(channel.error());
  AskedAgent agent(address.guest, std::move(*channel), options);
  if (auto sent = agent.channel_.send(order_message(options)); !sent) return fail(sent.error());
  const auto ready = agent.channel_.receive(kToAnswer);
  if (!ready) return fail(ready.error());
  const auto state = ready->text("state", 32);
  if (!state) return fail(state.error());
  if (*state != "ready") {
    const auto why = ready->text("why", 1000);
    return fail(ready->bad(why ? printable(*why, 1000) : "it does not get ready"));
  }
  const auto cpus = ready->number("cpus", 1, kMostBelievedCpus);
  // It may sample less often than it is asked to, never more.
  const std::uint64_t asked = options.event == Event::cpu_clock ? 1'000'000'000 / options.hz : options.period;
  const auto period = ready->number("period", asked, 1'000'000'000'000);
  if (!cpus) return fail(cpus.error());
  if (!period) return fail(period.error());
  agent.cpus_ = *cpus;
  agent.period_ = *period;
  return agent;
}

Result<> AskedAgent::go(std::optional<std::size_t> most_cpus) {
  if (most_cpus) cpus_ = std::min(cpus_, *most_cpus);
  return channel_.send({{"order", "go"}});
}

Result<MonitorProfile> AskedAgent::profile() {
  Receiving receiving({options_.event, period_, cpus_, options_.duration});
  const auto end = std::chrono::steady_clock::now() + kToHandOver;
  while (true) {
    const auto left = end - std::chrono::steady_clock::now();
    if (left.count() <= 0)
      return fail({"cannot take the profile of " + guest_, "it was not handed over within 10 s", "",
                   ExitCode::trial_failed});
    const auto message = channel_.receive(left);
    if (!message) return fail(message.error());
    const auto last = receiving.take(*message);
    if (!last) return fail(last.error());
    if (*last) return std::move(receiving).profile();
  }
}

}  // namespace vtax::profile
