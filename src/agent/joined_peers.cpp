#include "agent/joined_peers.h"

#include <sys/wait.h>

#include <fcntl.h>
#include <cerrno>

#include "agent/guest_connection.h"
#include "agent/lab_layout.h"
#include "platform/card_rings.h"
#include "platform/placement.h"
#include "platform/wiring.h"
#include "workload/orders/local_orders.h"
#include "workload/traffic/tcp_socket.h"

namespace vtax::agent {
namespace {

constexpr std::chrono::seconds kPeersLimit{60};  // of guest time
constexpr std::size_t kMostDeviceName = 15;

// One end of the controller's network.
Result<> open_controllers_card(const char* mac, const char* ipv4, const char* other_mac,
                               const char* other_ipv4, int cpu) {
  Result<Links> links = Links::open();
  if (!links) return fail(links.error());
  const auto card = links->find_by_mac(mac);
  if (!card) return fail(card.error());
  const auto interrupts = interrupts_of(*card);
  if (!interrupts) return fail(interrupts.error());
  Result<> done = links->set_up(*card);
  if (done) done = pin_interrupts(*interrupts, cpu);
  if (done) done = links->add_address(*card, ipv4, wiring::kPrefixBits);
  if (done) done = links->add_neighbour(*card, other_ipv4, other_mac);
  if (done) done = links->wait_until_running(*card, wiring::kCarrierLimit);
  return done;
}

// The controllers of guest 1, 2, ..., who come in this order.
Result<std::vector<Descriptor>> accept_controllers(int guests) {
  const auto listener = tcp_listen({lab::kPeersMachineIpv4, lab::kControlPort});
  if (!listener) return fail(listener.error());
  const auto watchdog = Watchdog::start(kPeersLimit);
  if (!watchdog) return fail(watchdog.error());
  std::vector<Descriptor> connections;
  for (int guest = 1; guest <= guests; ++guest) {
    auto connection = tcp_accept(listener->get(), *watchdog);
    if (!connection) return fail(connection.error());
    connections.push_back(std::move(*connection));
  }
  return connections;
}

// A process that obeys its parent, and, once that says so, the controller behind this connection for ever.
Result<EndpointProcess> start_peer(const std::vector<EndpointProcess>& before, const Descriptor& connection) {
  using Network = EndpointProcess::Options::Network;
  EndpointProcess::Options options{"the peer", lab::kCardPeerCpu, Network::own, -1};
  if (!before.empty()) {
    options.network = Network::shared;
    options.shared_namespace = before.front().network_namespace();
  }
  options.more = [controller = connection.get()](
                     const std::string& order, const JsonFields& fields,
                     ControlChannel& control) -> std::optional<Result<nlohmann::json>> {
    if (order != "obey-controller") return obey_local(order, fields, control);
    Descriptor own(fcntl(controller, F_DUPFD_CLOEXEC, 0));
    if (!own.valid()) return fail(system_error("cannot obey the controller", errno));
    return fail(Endpoint(ControlChannel(std::move(own), "the controller"), obey_local).serve());
  };
  return EndpointProcess::start(options);
}

}  // namespace

Result<> join_peers(const LabPlan& plan, std::vector<EndpointClient>& peers, Setup& setup) {
  if (plan.topology != Topology::joined) return {};
  const Result<> opened = open_controllers_card(lab::kPeerCardMac, lab::kControllerIpv4, lab::kSystemCardMac,
                                                lab::kPeersMachineIpv4, lab::kCardPeerCpu);
  if (!opened) return opened;
  for (int guest = 1; guest <= plan.guests; ++guest) {
    auto peer = connect_to_guest(lab::kPeersMachineIpv4, "the peer", kPeersLimit);
    if (!peer) return fail(peer.error());
    peers.push_back(std::move(*peer));
  }
  for (EndpointClient& peer : peers) {
    const auto ready = peer.wait_for("ready", kPeersLimit);
    if (!ready) return fail(ready.error());
    const auto card = ready->text("card", kMostDeviceName);
    if (!card) return fail(card.error());
    setup.peer_card = *card;
  }
  setup.peers_elsewhere = &peers;
  return {};
}

Result<> serve_as_peer(const LabPlan& plan) {
  const Result<> opened = open_controllers_card(lab::kSystemCardMac, lab::kPeersMachineIpv4,
                                                lab::kPeerCardMac, lab::kControllerIpv4, lab::kDriverCpu);
  if (!opened) return opened;
  const auto connections = accept_controllers(plan.guests);
  if (!connections) return fail(connections.error());
  std::vector<EndpointProcess> peers;
  for (const Descriptor& connection : *connections) {
    auto peer = start_peer(peers, connection);
    if (!peer) return fail(peer.error());
    peers.push_back(std::move(*peer));
  }
  Result<Links> links = Links::open();
  if (!links) return fail(links.error());
  const auto card = links->find_by_mac(lab::kPeerCardMac);
  if (!card) return fail(card.error());
  const auto interface = wiring::peer_interface(*card, plan.offloads, plan.forwarding);
  Result<> done = wiring::hand_over_card(*links, peers.front(), interface, lab::kCardPeerCpu);
  if (done && plan.forwarding == Forwarding::bridge)
    done = wiring::introduce_guests(peers.front(), *card, plan.guests);
  if (done) done = wiring::shape_end(peers.front(), *card, Setup::of(plan).link_bits_per_second);
  if (done) done = wiring::wait_for_carrier(peers.front(), *card);
  for (std::size_t i = 0; i < peers.size() && done; ++i) {
    ControlChannel controller(Descriptor(fcntl((*connections)[i].get(), F_DUPFD_CLOEXEC, 0)),
                              "the controller");
    done = controller.send({{"state", "ready"}, {"card", *card}});
    if (done) done = peers[i].client().tell({{"do", "obey-controller"}});
  }
  if (!done) return done;
  for (int status = 0; waitpid(-1, &status, 0) >= 0 || errno == EINTR;) {
  }
  return fail(Error{"serve the controller", "every peer has ended", "", ExitCode::trial_failed});
}

}  // namespace vtax::agent
