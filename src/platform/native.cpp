#include <fmt/format.h>

#include "platform/namespace.h"
#include "platform/offloads.h"
#include "platform/platform.h"
#include "platform/wiring.h"

namespace vtax {
namespace {

using Network = EndpointProcess::Options::Network;

constexpr unsigned kEthernetMtu = 1500;
constexpr char kLoopbackIpv4[] = "127.0.0.1";

class Native : public Platform {
 public:
  Result<Bench> arrange(const Setup& setup) override {
    // The pointers into these stay good.
    systems_.reserve(static_cast<std::size_t>(setup.guests));
    peers_.reserve(static_cast<std::size_t>(setup.guests));
    const bool inside = setup.topology == Topology::inside;
    if (Result<> started = start_systems(setup); !started) return fail(started.error());
    if (Result<> started = start_peers(setup); !started) return fail(started.error());
    for (EndpointProcess& system : systems_) {
      const Result<> loaded = wiring::start_softload(system.client(), setup.softload_percent);
      if (!loaded) return fail(loaded.error());
    }
    if (Result<> sampled = wiring::sample_ends(systems_, peers_, setup); !sampled)
      return fail(sampled.error());
    Result<Bench> bench = inside ? over_loopback(setup) : over_cards(setup);
    for (std::size_t i = 0; i < systems_.size() && bench; ++i) {
      bench->processes.push_back({systems_[i].process(), MeteredProcess::Role::system, setup.system_cpu});
      if (i < peers_.size())
        bench->processes.push_back({peers_[i].process(), MeteredProcess::Role::partner, setup.peer_cpu});
    }
    return bench;
  }

 private:
  // In one network namespace for each wire.
  Result<> start_systems(const Setup& setup) {
    for (int guest = 1; guest <= setup.guests; ++guest) {
      auto system = wiring::start_on_wire(systems_, setup, guest, "the system under test", setup.system_cpu);
      if (!system) return fail(system.error());
      systems_.push_back(std::move(*system));
    }
    return {};
  }

  // Likewise; inside beside the systems.
  Result<> start_peers(const Setup& setup) {
    peers_elsewhere_ = setup.peers_elsewhere;
    if (peers_elsewhere_ != nullptr) return {};
    for (int guest = 1; guest <= setup.guests; ++guest) {
      auto peer = setup.topology == Topology::inside
                      ? EndpointProcess::start({"the partner", setup.peer_cpu, Network::shared,
                                                systems_.front().network_namespace()})
                      : wiring::start_on_wire(peers_, setup, guest, "the peer", setup.peer_cpu);
      if (!peer) return fail(peer.error());
      peers_.push_back(std::move(*peer));
    }
    return {};
  }

  Result<Bench> over_loopback(const Setup& setup) {
    const auto inside = NamespaceScope::enter(systems_.front().network_namespace());
    if (!inside) return fail(inside.error());
    Result<Links> links = Links::open();
    if (!links) return fail(links.error());
    Result<> done = links->set_mtu("lo", kEthernetMtu);
    if (done) done = set_segmentation_offloads("lo", setup.offloads);
    if (done) done = links->set_up("lo");
    if (!done) return fail(done.error());

    const CountedDevice lo{"system", "host", "lo"};
    Bench out = bench(kLoopbackIpv4, kLoopbackIpv4);
    out.system.devices = {lo};
    out.wire = {lo};
    return out;
  }

  Result<Bench> over_cards(const Setup& setup) {
    Result<Links> here = Links::open();
    if (!here) return fail(here.error());
    Bench out = bench(wiring::kSystemIpv4, wiring::kPeerIpv4);
    Result<> done;
    for (int wire = 0; wire < setup.wires() && done; ++wire) done = attach(*here, setup, wire, out);
    if (!done) return fail(done.error());
    return out;
  }

  // Both cards of a wire: each wire is a network of its own, with the same addresses.
  Result<> attach(Links& here, const Setup& setup, int wire, Bench& out) {
    const EndpointProcess& system = systems_[static_cast<std::size_t>(wire)];
    const EndpointProcess* const peer =
        peers_elsewhere_ != nullptr ? nullptr : &peers_[static_cast<std::size_t>(wire)];
    const auto a = wiring::system_interface(setup.system_card_of(wire), setup.offloads);
    const auto b = wiring::peer_interface(setup.peer_card_of(wire), setup.offloads);
    Result<> done = wiring::hand_over_card(here, system, a, setup.system_cpu);
    if (done && peer != nullptr) done = wiring::hand_over_card(here, *peer, b, setup.peer_cpu);
    if (done) done = wiring::shape_end(system, a.device, setup.link_bits_per_second);
    if (done && peer != nullptr) done = wiring::shape_end(*peer, b.device, setup.link_bits_per_second);
    if (done) done = wiring::wait_for_carrier(system, a.device);
    if (done && peer != nullptr) done = wiring::wait_for_carrier(*peer, b.device);
    const CountedDevice card_a{"system", "host", a.device},
        card_b{"peer", setup.peer_domain("host"), b.device};
    (wire == 0 ? out.system : out.more[static_cast<std::size_t>(wire - 1)].system).devices = {card_a};
    (wire == 0 ? out.peer : out.more[static_cast<std::size_t>(wire - 1)].peer).devices = {card_b};
    out.wire.push_back(card_a);
    out.wire.push_back(card_b);
    return done;
  }

  // All systems have one address; who counts devices is the caller's to say.
  Bench bench(const std::string& system_ipv4, const std::string& peer_ipv4) {
    Bench out;
    for (std::size_t i = 0; i < systems_.size(); ++i) {
      EndPair pair{{&systems_[i].client(), system_ipv4, false, {}, fmt::format("process{}", i + 1)},
                   {wiring::peer_client(peers_elsewhere_, peers_, i), peer_ipv4, false, {}}};
      out.add(static_cast<int>(i) + 1, std::move(pair));
    }
    return out;
  }

  std::vector<EndpointProcess> systems_, peers_;
  std::vector<EndpointClient>* peers_elsewhere_ = nullptr;  // in place of peers_
};

}  // namespace

std::unique_ptr<Platform> make_native() {
  return std::make_unique<Native>();
}

}  // namespace vtax
