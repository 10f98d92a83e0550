#include <fmt/format.h>
#include <linux/vm_sockets.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>

#include "core/readable.h"
#include "profile/agent.h"
#include "profile/wire.h"
#include "workload/measure/watchdog.h"
#include "workload/session/handshake.h"
#include "workload/traffic/tcp_socket.h"

namespace vtax::profile {
namespace {

constexpr std::chrono::seconds kToAnswer{5}, kToHandOver{10};
constexpr std::size_t kMostBelievedCpus = 4096;

Result<Descriptor> connect_to(const AgentAddress& address) {
  const auto watchdog = Watchdog::start(kToAnswer);
  if (!watchdog) return fail(watchdog.error());
  if (!address.context)
    return tcp_connect({address.host, static_cast<std::uint16_t>(address.port)}, 0, {}, *watchdog);
  Descriptor connection(socket(AF_VSOCK, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_vm to{};
  to.svm_family = AF_VSOCK;
  to.svm_cid = *address.context;
  to.svm_port = address.port;
  if (!connection.valid() ||
      connect(connection.get(), reinterpret_cast<const sockaddr*>(&to), sizeof to) != 0)
    return fail(system_error(
        fmt::format("cannot connect to vsock context {} port {}", *address.context, address.port), errno));
  return connection;
}

}  // namespace

Result<AskedAgent> AskedAgent::ask(const AgentAddress& address, const Secret& secret,
                                   const MonitorOptions& options) {
  auto connection = connect_to(address);
  if (!connection) {
    Error error = connection.error();
    if (error.code != ExitCode::usage)
      error.next = "start it in the guest: vtax agent --bind ADDRESS --token-file FILE";
    return fail(std::move(error));
  }
  AskedAgent agent(address.guest, ControlChannel(std::move(*connection), "the agent of " + address.guest),
                   options);
  agent.channel_.end_on_interruption();
  if (auto known = shake_hands_as_client(agent.channel_, secret, kToAnswer); !known)
    return fail(known.error());
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
  // Its clock and this one do not stop at the same moment.
  const auto bound = options_.duration + options_.duration / 50 + std::chrono::milliseconds(100);
  Receiving receiving({options_.event, period_, cpus_, bound});
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
