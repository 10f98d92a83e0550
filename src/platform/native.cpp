#include "platform/namespace.h"
#include "platform/offloads.h"
#include "platform/platform.h"
#include "platform/wiring.h"

#include <optional>

namespace vtax {
namespace {

using Network = EndpointProcess::Options::Network;

constexpr unsigned ethernet_mtu = 1500;
constexpr char loopback_ipv4[] = "127.0.0.1";

class Native : public Platform {
 public:
  Result<Bench> arrange(const Setup& setup) override {
    auto system = EndpointProcess::start({"the system under test", setup.system_cpu, Network::own, -1});
    if (!system) return fail(system.error());
    system_.emplace(std::move(*system));
    Result<Bench> bench = setup.topology == Topology::inside ? over_loopback(setup) : over_cards(setup);
    if (bench)
      bench->processes = {{system_->process(), MeteredProcess::Role::system, setup.system_cpu},
                          {peer_->process(), MeteredProcess::Role::partner, setup.peer_cpu}};
    return bench;
  }

 private:
  Result<Bench> over_loopback(const Setup& setup) {
    auto peer = EndpointProcess::start(
        {"the partner", setup.peer_cpu, Network::shared, system_->network_namespace()});
    if (!peer) return fail(peer.error());
    peer_.emplace(std::move(*peer));
    const auto inside = NamespaceScope::enter(system_->network_namespace());
    if (!inside) return fail(inside.error());
    Result<Links> links = Links::open();
    if (!links) return fail(links.error());
    Result<> done = links->set_mtu("lo", ethernet_mtu);
    if (done) done = set_segmentation_offloads("lo", setup.offloads);
    if (done) done = links->set_up("lo");
    if (!done) return fail(done.error());

    const CountedDevice lo{"system", "host", "lo"};
    return Bench{{&system_->client(), loopback_ipv4, false, {lo}},
                 {&peer_->client(), loopback_ipv4, false, {}},
                 {},
                 {lo}};
  }

  Result<Bench> over_cards(const Setup& setup) {
    auto peer = EndpointProcess::start({"the peer", setup.peer_cpu, Network::own, -1});
    if (!peer) return fail(peer.error());
    peer_.emplace(std::move(*peer));
    Result<Links> here = Links::open();
    if (!here) return fail(here.error());
    const auto a = wiring::system_interface(setup.system_card, setup.offloads);
    const auto b = wiring::peer_interface(setup.peer_card, setup.offloads);
    Result<> done = wiring::hand_over_card(*here, *system_, a, setup.system_cpu);
    if (done) done = wiring::hand_over_card(*here, *peer_, b, setup.peer_cpu);
    if (done) done = wiring::wait_for_carrier(*system_, a.device);
    if (done) done = wiring::wait_for_carrier(*peer_, b.device);
    if (!done) return fail(done.error());

    const CountedDevice card{"system", "host", a.device}, peer_card{"peer", "host", b.device};
    return Bench{{&system_->client(), a.ipv4, false, {card}},
                 {&peer_->client(), b.ipv4, false, {peer_card}},
                 {},
                 {card, peer_card}};
  }

  std::optional<EndpointProcess> system_, peer_;
};

}  // namespace

std::unique_ptr<Platform> make_native() {
  return std::make_unique<Native>();
}

}  // namespace vtax
