#include <fmt/format.h>

#include "platform/namespace.h"
#include "platform/offloads.h"
#include "platform/platform.h"
#include "platform/wiring.h"

namespace vtax {
namespace {

using Network = EndpointProcess::Options::Network;

constexpr unsigned ethernet_mtu = 1500;
constexpr char loopback_ipv4[] = "127.0.0.1";

class Native : public Platform {
 public:
  Result<Bench> arrange(const Setup& setup) override {
    // The pointers into these stay good.
    systems_.reserve(static_cast<std::size_t>(setup.guests));
    peers_.reserve(static_cast<std::size_t>(setup.guests));
    const bool inside = setup.topology == Topology::inside;
    if (Result<> started = start(systems_, "the system under test", setup.system_cpu, setup.guests, -1);
        !started)
      return fail(started.error());
    const int shared = inside ? systems_.front().network_namespace() : -1;
    const Result<> started =
        start(peers_, inside ? "the partner" : "the peer", setup.peer_cpu, setup.guests, shared);
    if (!started) return fail(started.error());
    for (EndpointProcess& system : systems_) {
      const Result<> loaded = wiring::start_softload(system.client(), setup.softload_percent);
      if (!loaded) return fail(loaded.error());
    }
    Result<Bench> bench = inside ? over_loopback(setup) : over_cards(setup);
    for (std::size_t i = 0; i < systems_.size() && bench; ++i) {
      bench->processes.push_back({systems_[i].process(), MeteredProcess::Role::system, setup.system_cpu});
      bench->processes.push_back({peers_[i].process(), MeteredProcess::Role::partner, setup.peer_cpu});
    }
    return bench;
  }

 private:
  // The first in a network namespace of its own, or in `shared`; the others beside it.
  static Result<> start(std::vector<EndpointProcess>& ends, const char* name, int cpu, int count,
                        int shared) {
    for (int i = 0; i < count; ++i) {
      const int place = i == 0 ? shared : ends.front().network_namespace();
      auto process = EndpointProcess::start({name, cpu, place < 0 ? Network::own : Network::shared, place});
      if (!process) return fail(process.error());
      ends.push_back(std::move(*process));
    }
    return {};
  }

  Result<Bench> over_loopback(const Setup& setup) {
    const auto inside = NamespaceScope::enter(systems_.front().network_namespace());
    if (!inside) return fail(inside.error());
    Result<Links> links = Links::open();
    if (!links) return fail(links.error());
    Result<> done = links->set_mtu("lo", ethernet_mtu);
    if (done) done = set_segmentation_offloads("lo", setup.offloads);
    if (done) done = links->set_up("lo");
    if (!done) return fail(done.error());

    const CountedDevice lo{"system", "host", "lo"};
    return bench(loopback_ipv4, loopback_ipv4, {lo}, {});
  }

  Result<Bench> over_cards(const Setup& setup) {
    Result<Links> here = Links::open();
    if (!here) return fail(here.error());
    const EndpointProcess &system = systems_.front(), &peer = peers_.front();
    const auto a = wiring::system_interface(setup.system_card, setup.offloads);
    const auto b = wiring::peer_interface(setup.peer_card, setup.offloads);
    Result<> done = wiring::hand_over_card(*here, system, a, setup.system_cpu);
    if (done) done = wiring::hand_over_card(*here, peer, b, setup.peer_cpu);
    if (done)
      done = wiring::shape_link(nullptr, &system, a.device, peer, b.device, setup.link_bits_per_second);
    if (done) done = wiring::wait_for_carrier(system, a.device);
    if (done) done = wiring::wait_for_carrier(peer, b.device);
    if (!done) return fail(done.error());
    return bench(a.ipv4, b.ipv4, {{"system", "host", a.device}}, {{"peer", "host", b.device}});
  }

  // All systems share one address, and their devices are counted once.
  Bench bench(const std::string& system_ipv4, const std::string& peer_ipv4,
              std::vector<CountedDevice> system_devices, std::vector<CountedDevice> peer_devices) {
    Bench out;
    out.wire = system_devices;
    out.wire.insert(out.wire.end(), peer_devices.begin(), peer_devices.end());
    for (std::size_t i = 0; i < systems_.size(); ++i) {
      EndPair pair{{&systems_[i].client(), system_ipv4, false, {}, fmt::format("process{}", i + 1)},
                   {&peers_[i].client(), peer_ipv4, false, {}}};
      if (i > 0) {
        out.more.push_back(std::move(pair));
        continue;
      }
      out.system = std::move(pair.system);
      out.peer = std::move(pair.peer);
      out.system.devices = std::move(system_devices);
      out.peer.devices = std::move(peer_devices);
    }
    return out;
  }

  std::vector<EndpointProcess> systems_, peers_;
};

}  // namespace

std::unique_ptr<Platform> make_native() {
  return std::make_unique<Native>();
}

}  // namespace vtax
