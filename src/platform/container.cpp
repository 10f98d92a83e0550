#include <fmt/format.h>

#include "platform/platform.h"
#include "platform/wiring.h"

namespace vtax {
namespace {

using Network = EndpointProcess::Options::Network;

constexpr char bridge[] = "vtaxbr0";
constexpr char peer_port[] = "vtaxp0", peer_device[] = "vtaxp1";  // a veth pair: the bridge's end and the
                                                                  // end that moves into the namespace
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
    // The veth pairs would go with the namespaces, but some time later.
    if (Result<Links> here = Links::open()) {
      for (const std::string& device : made_) static_cast<void>(here->remove(device));
    }
  }

  Result<Bench> arrange(const Setup& setup) override {
    Result<Links> here = Links::open();
    if (!here) return fail(here.error());
    Result<> done = start_all(setup);
    if (done) done = wiring::make_bridge(*here, bridge, setup.offloads);
    if (!done) return fail(done.error());
    made_.push_back(bridge);

    Bench bench;
    for (int guest = 1; guest <= setup.guests && done; ++guest) {
      const std::string device = system_device(guest);
      done = attach(*here, systems_[static_cast<std::size_t>(guest - 1)], system_port(guest),
                    wiring::system_interface(device, setup.offloads, guest));
      add(bench, guest);
    }
    const EndpointProcess& peer = peers_.front();
    if (setup.topology == Topology::inside) {
      if (done) done = attach(*here, peer, peer_port, wiring::peer_interface(peer_device, setup.offloads));
      if (done) done = wiring::introduce_guests(peer, peer_device, setup.guests);
      bench.peer.devices = {{"peer", "host", peer_device}};
      bench.here.push_back({"peer", "host", peer_port});
      bench.wire = {bench.system.devices.front(), bench.peer.devices.front()};
      for (const EndPair& pair : bench.more) bench.wire.push_back(pair.system.devices.front());
    } else {
      const auto b = wiring::peer_interface(setup.peer_card, setup.offloads);
      if (done) done = wiring::hand_over_card(*here, peer, b, setup.peer_cpu);
      if (done) done = wiring::introduce_guests(peer, b.device, setup.guests);
      if (done) done = wiring::plug_card(*here, setup.system_card, bridge, setup.offloads, setup.system_cpu);
      if (done)
        done = wiring::shape_link(&*here, nullptr, setup.system_card, peer, b.device,
                                  setup.link_bits_per_second);
      if (done) done = wiring::wait_for_carrier(peer, b.device);
      bench.peer.devices = {{"peer", "host", b.device}};
      bench.here.push_back({"system", "host", setup.system_card});
      bench.wire = {bench.here.back(), bench.peer.devices.front()};
    }
    if (!done) return fail(done.error());
    for (std::size_t i = 0; i < systems_.size(); ++i) {
      bench.processes.push_back({systems_[i].process(), MeteredProcess::Role::system, setup.system_cpu});
      bench.processes.push_back({peers_[i].process(), MeteredProcess::Role::partner, setup.peer_cpu});
    }
    return bench;
  }

 private:
  // Each system in a namespace of its own, all peers in one.
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
      const int shared = guest == 1 ? -1 : peers_.front().network_namespace();
      auto peer = EndpointProcess::start(
          {"the peer", setup.peer_cpu, guest == 1 ? Network::own : Network::shared, shared});
      if (!peer) return fail(peer.error());
      peers_.push_back(std::move(*peer));
    }
    return {};
  }

  void add(Bench& bench, int guest) {
    const auto place = static_cast<std::size_t>(guest - 1);
    const End system{&systems_[place].client(),
                     wiring::guest_ipv4(guest),
                     false,
                     {{"system", "host", system_device(guest)}},
                     fmt::format("container{}", guest)};
    const End peer{&peers_[place].client(), wiring::peer_ipv4, false, {}};
    if (guest == 1) {
      bench.system = system;
      bench.peer = peer;
    } else {
      bench.more.push_back({system, peer});
    }
    bench.here.push_back({"system", "host", system_port(guest)});
  }

  Result<> attach(Links& here, const EndpointProcess& end, const std::string& port,
                  const wiring::Interface& interface) {
    Result<> done = here.add_veth(port, interface.device);
    if (done) made_.push_back(port);
    if (done) done = wiring::plug(here, port, bridge, interface.offloads);
    if (done) done = wiring::hand_over(here, end, interface);
    return done;
  }

  std::vector<EndpointProcess> systems_, peers_;
  std::vector<std::string> made_;  // devices of the caller's namespace
};

}  // namespace

std::unique_ptr<Platform> make_container() {
  return std::make_unique<Container>();
}

}  // namespace vtax
