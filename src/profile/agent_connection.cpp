#include "profile/agent_connection.h"

#include <fmt/format.h>
#include <linux/vm_sockets.h>
#include <sys/socket.h>

#include <cerrno>

#include "workload/measure/watchdog.h"
#include "workload/session/handshake.h"
#include "workload/traffic/tcp_socket.h"

namespace vtax::profile {
namespace {

constexpr std::chrono::seconds kToConnect{5};

Result<Descriptor> reach(const AgentAddress& address) {
  const auto watchdog = Watchdog::start(kToConnect);
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

Result<ControlChannel> connect_to_agent(const AgentAddress& address, const Secret& secret) {
  auto connection = reach(address);
  if (!connection) {
    Error error = connection.error();
    if (error.code != ExitCode::usage)
      error.next = "start it in the guest: vtax agent --bind ADDRESS --token-file FILE";
    return fail(std::move(error));
  }
  ControlChannel channel(std::move(*connection), "the agent of " + address.guest);
  channel.end_on_interruption();
  if (auto known = shake_hands_as_client(channel, secret, kToConnect); !known) return fail(known.error());
  return channel;
}

}  // namespace vtax::profile
