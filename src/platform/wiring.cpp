#include "platform/wiring.h"

#include "platform/namespace.h"
#include "platform/offloads.h"
#include "platform/placement.h"

namespace vtax::wiring {

Interface system_interface(const std::string& device, bool offloads) {
  return {device, system_ipv4, system_mac, peer_ipv4, peer_mac, offloads};
}

Interface peer_interface(const std::string& device, bool offloads) {
  return {device, peer_ipv4, peer_mac, system_ipv4, system_mac, offloads};
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
  if (done) done = links->add_address(interface.device, interface.ipv4, prefix_bits);
  if (done) done = links->add_neighbour(interface.device, interface.other_ipv4, interface.other_mac);
  return done;
}

Result<> wait_for_carrier(const EndpointProcess& end, const std::string& device) {
  const auto inside = NamespaceScope::enter(end.network_namespace());
  if (!inside) return fail(inside.error());
  Result<Links> links = Links::open();
  if (!links) return fail(links.error());
  return links->wait_until_running(device, carrier_limit);
}

Result<> hand_over_card(Links& here, const EndpointProcess& end, const Interface& interface, int cpu) {
  const Result<std::vector<int>> interrupts = interrupts_of(interface.device);
  if (!interrupts) return fail(interrupts.error());
  if (Result<> handed = hand_over(here, end, interface); !handed) return handed;
  return pin_interrupts(*interrupts, cpu);
}

Result<> make_bridge(Links& here, const std::string& bridge, bool offloads) {
  Result<> done = here.add_bridge(bridge);
  if (done) done = here.set_mac(bridge, driver_mac);
  if (done) done = set_segmentation_offloads(bridge, offloads);
  if (done) done = here.set_up(bridge);
  return done;
}

Result<> plug(Links& here, const std::string& device, const std::string& bridge, bool offloads) {
  Result<> done = set_segmentation_offloads(device, offloads);
  if (done) done = here.set_master(device, bridge);
  if (done) done = here.set_up(device);
  return done;
}

Result<> plug_card(Links& here, const std::string& card, const std::string& bridge, bool offloads, int cpu) {
  const Result<std::vector<int>> interrupts = interrupts_of(card);
  if (!interrupts) return fail(interrupts.error());
  if (Result<> plugged = plug(here, card, bridge, offloads); !plugged) return plugged;
  if (Result<> pinned = pin_interrupts(*interrupts, cpu); !pinned) return pinned;
  return here.wait_until_running(card, carrier_limit);
}

}  // namespace vtax::wiring
