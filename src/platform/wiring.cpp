#include "platform/wiring.h"

#include <fmt/format.h>

#include "platform/card_rings.h"
#include "platform/namespace.h"
#include "platform/offloads.h"
#include "platform/placement.h"

namespace vtax::wiring {

std::string guest_ipv4(int guest) {
  return guest == 1 ? kSystemIpv4 : fmt::format("10.77.0.{}", 10 + guest);
}

std::string guest_mac(int guest) {
  return guest == 1 ? kSystemMac : fmt::format("02:76:74:61:78:{:02x}", 0x10 + guest);
}

std::string driver_domain_ipv4(int driver) {
  return fmt::format("10.77.0.{}", 4 + driver);
}

std::string driver_domain_mac(int driver) {
  return fmt::format("02:76:74:61:78:{:02x}", 0x20 + driver);
}

std::string driver_uplink_mac(int driver) {
  return fmt::format("02:76:74:61:78:{:02x}", 0x30 + driver);
}

std::string other_machine_mac(int seat) {
  return fmt::format("02:76:74:61:78:{:02x}", 0x50 + seat);
}

std::string second_ipv4(int guest) {
  return fmt::format("10.77.0.{}", 40 + guest);
}

std::string second_mac(int guest) {
  return fmt::format("02:76:74:61:78:{:02x}", 0x40 + guest);
}

namespace {

bool has_second_device(Forwarding forwarding) {
  return forwarding == Forwarding::macvtap || forwarding == Forwarding::vf;
}

}  // namespace

std::string work_ipv4(int guest, Forwarding forwarding) {
  return has_second_device(forwarding) ? second_ipv4(guest) : guest_ipv4(guest);
}

std::string work_mac(int guest, Forwarding forwarding) {
  return has_second_device(forwarding) ? second_mac(guest) : guest_mac(guest);
}

std::string outer_ipv4(int way) {
  return fmt::format("10.78.{}.1", way);
}

std::string outer_peer_ipv4(int way) {
  return fmt::format("10.78.{}.3", way);
}

Interface system_interface(const std::string& device, bool offloads, int guest, Forwarding forwarding) {
  if (forwarding == Forwarding::bridge)
    return {device, guest_ipv4(guest), guest_mac(guest), kPeerIpv4, kPeerMac, offloads};
  return {device, guest_ipv4(guest), guest_mac(guest), kDriverIpv4, kDriverMac, offloads, kDriverIpv4};
}

Interface peer_interface(const std::string& device, bool offloads, Forwarding forwarding, int way) {
  if (forwarding != Forwarding::route && forwarding != Forwarding::nat)
    return {device, kPeerIpv4, kPeerMac, work_ipv4(1, forwarding), work_mac(1, forwarding), offloads};
  Interface out{device, outer_peer_ipv4(way), kPeerMac, outer_ipv4(way), kOuterMac, offloads};
  if (forwarding == Forwarding::route) out.gateway = outer_ipv4(way);
  return out;
}

Result<> hand_over(Links& here, const EndpointProcess& end, const Interface& interface) {
  if (Result<> moved = here.move(interface.device, end.network_namespace()); !moved) return moved;
  const auto inside = NamespaceScope::enter(end.network_namespace());
  if (!inside) return fail(inside.error());
  Result<Links> links = Links::open();
  if (!links) return fail(links.error());
  Result<> done = links->set_mac(interface.device, interface.mac);
  if (done) done = set_segmentation_offloads(interface.device, interface.offloads);
  if (done) done = links->set_up(interface.device);
  if (done) done = links->add_address(interface.device, interface.ipv4, kPrefixBits);
  if (done) done = links->add_neighbour(interface.device, interface.other_ipv4, interface.other_mac);
  if (done && !interface.gateway.empty())
    done = links->add_route("0.0.0.0", 0, interface.device, interface.gateway);
  return done;
}

Result<> wait_for_carrier(const EndpointProcess& end, const std::string& device) {
  const auto inside = NamespaceScope::enter(end.network_namespace());
  if (!inside) return fail(inside.error());
  Result<Links> links = Links::open();
  if (!links) return fail(links.error());
  return links->wait_until_running(device, kCarrierLimit);
}

Result<> introduce_guests(const EndpointProcess& end, const std::string& device, int guests,
                          Forwarding forwarding) {
  if (guests == 1) return {};
  const auto inside = NamespaceScope::enter(end.network_namespace());
  if (!inside) return fail(inside.error());
  Result<Links> links = Links::open();
  if (!links) return fail(links.error());
  for (int guest = 2; guest <= guests; ++guest) {
    const Result<> added =
        links->add_neighbour(device, work_ipv4(guest, forwarding), work_mac(guest, forwarding));
    if (!added) return added;
  }
  return {};
}

Result<> hand_over_card(Links& here, const EndpointProcess& end, const Interface& interface, int cpu) {
  const Result<std::vector<int>> interrupts = interrupts_of(interface.device);
  if (!interrupts) return fail(interrupts.error());
  if (Result<> deep = deepen_rings(interface.device); !deep) return deep;
  if (Result<> handed = hand_over(here, end, interface); !handed) return handed;
  return pin_interrupts(*interrupts, cpu);
}

Result<> shape_end(Links& here, const std::string& card, std::uint64_t bits_per_second) {
  constexpr std::uint64_t kFrameBytes = 1514, kWireBytes = 1538;
  if (bits_per_second == 0) return {};
  return here.shape(card, bits_per_second * kFrameBytes / kWireBytes);
}

Result<> shape_end(const EndpointProcess& end, const std::string& card, std::uint64_t bits_per_second) {
  if (bits_per_second == 0) return {};
  const auto inside = NamespaceScope::enter(end.network_namespace());
  if (!inside) return fail(inside.error());
  Result<Links> links = Links::open();
  if (!links) return fail(links.error());
  return shape_end(*links, card, bits_per_second);
}

Result<EndpointProcess> start_on_wire(const std::vector<EndpointProcess>& ends, const Setup& setup, int guest,
                                      const std::string& name, int cpu) {
  using Network = EndpointProcess::Options::Network;
  const auto first = static_cast<std::size_t>(setup.wire_of(guest));
  if (first >= ends.size()) return EndpointProcess::start({name, cpu, Network::own, -1});
  return EndpointProcess::start({name, cpu, Network::shared, ends[first].network_namespace()});
}

EndpointClient* peer_client(std::vector<EndpointClient>* elsewhere, std::vector<EndpointProcess>& here,
                            std::size_t place) {
  return elsewhere != nullptr ? &(*elsewhere)[place] : &here[place].client();
}

std::string name_outside(Forwarding forwarding, int wire) {
  return forwarding == Forwarding::nat ? outer_ipv4(wire) : "";
}

void count_wire(Bench& bench, int wire, const CountedDevice& system, const CountedDevice& peer) {
  End& end = wire == 0 ? bench.peer : bench.more[static_cast<std::size_t>(wire - 1)].peer;
  end.devices = {peer};
  bench.here.push_back(system);
  bench.wire.push_back(system);
  bench.wire.push_back(peer);
}

namespace {

Result<> give_order(EndpointClient& end, const nlohmann::json& order) {
  const auto answer = end.ask(order, std::chrono::seconds(10));
  if (!answer) return fail(answer.error());
  return {};
}

}  // namespace

Result<> set_offloads(EndpointClient& end, const std::string& device, bool on) {
  return give_order(end, {{"do", "offloads"}, {"device", device}, {"on", on}});
}

Result<> start_softload(EndpointClient& system, int percent) {
  if (percent == 0) return {};
  return give_order(system, {{"do", "softload"}, {"percent", percent}});
}

Result<> start_sampling(EndpointClient& system, unsigned hz) {
  if (hz == 0) return {};
  return give_order(system, {{"do", "sample"}, {"hz", hz}});
}

Result<> sample_ends(std::vector<EndpointProcess>& systems, std::vector<EndpointProcess>& peers,
                     const Setup& setup) {
  Result<> done = start_sampling(systems.front().client(), setup.sampling_hz);
  if (done && setup.topology == Topology::inside)
    done = start_sampling(peers.front().client(), setup.sampling_hz);
  return done;
}

Result<> make_bridge(Links& here, const std::string& bridge, bool offloads) {
  Result<> done = here.add_bridge(bridge);
  if (done) done = here.set_mac(bridge, kDriverMac);
  if (done) done = set_segmentation_offloads(bridge, offloads);
  if (done) done = here.set_up(bridge);
  return done;
}

Result<> plug(Links& here, const std::string& device, const std::string& bridge, bool offloads) {
  Result<> done = set_segmentation_offloads(device, offloads);
  if (done && !bridge.empty()) done = here.set_master(device, bridge);
  if (done) done = here.set_up(device);
  return done;
}

Result<> plug_card(Links& here, const std::string& card, const std::string& bridge, bool offloads, int cpu) {
  const Result<std::vector<int>> interrupts = interrupts_of(card);
  if (!interrupts) return fail(interrupts.error());
  if (Result<> deep = deepen_rings(card); !deep) return deep;
  if (Result<> plugged = plug(here, card, bridge, offloads); !plugged) return plugged;
  if (Result<> pinned = pin_interrupts(*interrupts, cpu); !pinned) return pinned;
  return here.wait_until_running(card, kCarrierLimit);
}

}  // namespace vtax::wiring
