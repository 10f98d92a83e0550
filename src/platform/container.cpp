#include <fmt/format.h>

#include <optional>

#include "platform/platform.h"
#include "platform/router.h"
#include "platform/wiring.h"

namespace vtax {
namespace {

using Network = EndpointProcess::Options::Network;

constexpr char kPeerPort[] = "vtaxp0", kPeerDevice[] = "vtaxp1";  // a veth pair: the bridge's end and the
                                                                  // end that moves into the namespace
// One for each wire.
std::string bridge_of(int wire) {
  return fmt::format("vtaxbr{}", wire);
}

// The same for container 1, 2, ...
std::string system_port(int guest) {
  return guest == 1 ? "vtaxs0" : fmt::format("vtaxs0-{}", guest);
}

std::string system_device(int guest) {
  return guest == 1 ? "vtaxs1" : fmt::format("vtaxs1-{}", guest);
}

class Container : public Platform {
 public:
  ~Container() override {
    router_.reset();
    // The veth pairs would go with the namespaces, but some time later.
    if (Result<Links> here = Links::open()) {
      for (const std::string& device : made_) static_cast<void>(here->remove(device));
    }
  }

  Result<Bench> arrange(const Setup& setup) override {
    Result<Links> here = Links::open();
    if (!here) return fail(here.error());
    Result<> done = start_all(setup);
    if (done) done = make_middle(*here, setup);
    if (!done) return fail(done.error());

    Bench bench;
    for (int guest = 1; guest <= setup.guests && done; ++guest) {
      done = attach_system(*here, setup, guest);
      add(bench, setup, guest);
    }
    for (int wire = 0; wire < setup.wires() && done; ++wire)
      done = setup.topology == Topology::inside ? attach_partner(*here, setup, bench)
                                                : attach_peer(*here, setup, wire, bench);
    if (done && setup.forwarding == Forwarding::nat) done = router_->translate(setup.guests);
    if (!done) return fail(done.error());
    for (std::size_t i = 0; i < systems_.size(); ++i) {
      bench.processes.push_back({systems_[i].process(), MeteredProcess::Role::system, setup.system_cpu});
      if (i < peers_.size())
        bench.processes.push_back({peers_[i].process(), MeteredProcess::Role::partner, setup.peer_cpu});
    }
    return bench;
  }

 private:
  // Each system in a namespace of its own, the peers of one wire in one.
  Result<> start_all(const Setup& setup) {
    // The pointers into these stay good.
    systems_.reserve(static_cast<std::size_t>(setup.guests));
    peers_.reserve(static_cast<std::size_t>(setup.guests));
    for (int guest = 1; guest <= setup.guests; ++guest) {
      auto system = EndpointProcess::start({"the system under test", setup.system_cpu, Network::own, -1});
      if (!system) return fail(system.error());
      systems_.push_back(std::move(*system));
      const Result<> loaded = wiring::start_softload(systems_.back().client(), setup.softload_percent);
      if (!loaded) return fail(loaded.error());
      if (setup.peers_elsewhere != nullptr) continue;
      auto peer = wiring::start_on_wire(peers_, setup, guest, "the peer", setup.peer_cpu);
      if (!peer) return fail(peer.error());
      peers_.push_back(std::move(*peer));
    }
    return wiring::sample_ends(systems_, peers_, setup);
  }

  Result<> make_middle(Links& here, const Setup& setup) {
    if (setup.forwarding != Forwarding::bridge) return Router::start(router_);
    for (int wire = 0; wire < setup.wires(); ++wire) {
      const Result<> made = wiring::make_bridge(here, bridge_of(wire), setup.offloads);
      if (!made) return made;
      made_.push_back(bridge_of(wire));
    }
    return {};
  }

  void add(Bench& bench, const Setup& setup, int guest) {
    const auto place = static_cast<std::size_t>(guest - 1);
    const int wire = setup.wire_of(guest);
    End system{&systems_[place].client(),
               wiring::guest_ipv4(guest),
               false,
               {{"system", "host", system_device(guest)}},
               fmt::format("container{}", guest),
               wiring::name_outside(setup.forwarding, wire)};
    const auto outside = wiring::peer_interface("", setup.offloads, setup.forwarding, wire);
    End peer{wiring::peer_client(setup.peers_elsewhere, peers_, place), outside.ipv4, false, {}};
    bench.add(guest, {std::move(system), std::move(peer)});
    bench.here.push_back({"system", "host", system_port(guest)});
  }

  Result<> attach_system(Links& here, const Setup& setup, int guest) {
    const auto interface =
        wiring::system_interface(system_device(guest), setup.offloads, guest, setup.forwarding);
    Result<> done =
        make_pair(here, systems_[static_cast<std::size_t>(guest - 1)], system_port(guest), interface);
    if (!done) return done;
    if (router_) return router_->face_system(system_port(guest), guest, setup.offloads);
    return wiring::plug(here, system_port(guest), bridge_of(setup.wire_of(guest)), setup.offloads);
  }

  Result<> attach_partner(Links& here, const Setup& setup, Bench& bench) {
    const EndpointProcess& peer = peers_.front();
    const auto interface = wiring::peer_interface(kPeerDevice, setup.offloads, setup.forwarding);
    Result<> done = make_pair(here, peer, kPeerPort, interface);
    if (done)
      done = router_ ? router_->face_peers(kPeerPort, 0, setup.offloads)
                     : wiring::plug(here, kPeerPort, bridge_of(0), setup.offloads);
    if (done && !router_) done = wiring::introduce_guests(peer, kPeerDevice, setup.guests);
    // Inside, the link is the peers' veth pair.
    if (done) done = wiring::shape_end(here, kPeerPort, setup.link_bits_per_second);
    if (done) done = wiring::shape_end(peer, kPeerDevice, setup.link_bits_per_second);
    bench.peer.devices = {{"peer", "host", kPeerDevice}};
    bench.here.push_back({"peer", "host", kPeerPort});
    bench.wire = {bench.system.devices.front(), bench.peer.devices.front()};
    for (const EndPair& pair : bench.more) bench.wire.push_back(pair.system.devices.front());
    return done;
  }

  Result<> attach_peer(Links& here, const Setup& setup, int wire, Bench& bench) {
    const std::string& card = setup.system_card_of(wire);
    const auto b = wiring::peer_interface(setup.peer_card_of(wire), setup.offloads, setup.forwarding, wire);
    const EndpointProcess* const peer =
        setup.peers_elsewhere != nullptr ? nullptr : &peers_[static_cast<std::size_t>(wire)];
    Result<> done;
    if (peer != nullptr) done = wiring::hand_over_card(here, *peer, b, setup.peer_cpu);
    if (done && peer != nullptr && !router_) done = wiring::introduce_guests(*peer, b.device, setup.guests);
    if (done)
      done = router_ ? router_->face_peers_by_card(card, wire, setup.offloads, setup.system_cpu)
                     : wiring::plug_card(here, card, bridge_of(wire), setup.offloads, setup.system_cpu);
    if (done) done = wiring::shape_end(here, card, setup.link_bits_per_second);
    if (done && peer != nullptr) done = wiring::shape_end(*peer, b.device, setup.link_bits_per_second);
    if (done && peer != nullptr) done = wiring::wait_for_carrier(*peer, b.device);
    wiring::count_wire(bench, wire, {"system", "host", card}, {"peer", setup.peer_domain("host"), b.device});
    return done;
  }

  // The veth pair between here and the end's namespace.
  Result<> make_pair(Links& here, const EndpointProcess& end, const std::string& port,
                     const wiring::Interface& interface) {
    Result<> done = here.add_veth(port, interface.device);
    if (done) made_.push_back(port);
    if (done) done = wiring::hand_over(here, end, interface);
    return done;
  }

  std::vector<EndpointProcess> systems_, peers_;
  std::optional<Router> router_;   // in the bridges' place
  std::vector<std::string> made_;  // devices of the caller's namespace
};

}  // namespace

std::unique_ptr<Platform> make_container() {
  return std::make_unique<Container>();
}

}  // namespace vtax
