#include "platform/bridged_guests.h"

#include <utility>

#include "platform/offloads.h"
#include "platform/wiring.h"

namespace vtax {
namespace {

using Network = EndpointProcess::Options::Network;

constexpr std::chrono::seconds order_limit{10};

class BridgedGuests : public Platform {
 public:
  BridgedGuests(DriverDomain driver, std::vector<BridgedGuest> guests)
      : driver_(std::move(driver)), guests_(std::move(guests)) {}

  ~BridgedGuests() override {
    if (plugged_card_.empty()) return;
    if (Result<Links> here = Links::open()) static_cast<void>(here->release(plugged_card_));
  }

  Result<Bench> arrange(const Setup& setup) override {
    Result<Links> here = Links::open();
    if (!here) return fail(here.error());
    Result<> done = set_segmentation_offloads(driver_.bridge, setup.offloads);
    for (std::size_t i = 0; i < guests_.size() && done; ++i) {
      done = set_offloads(guests_[i], setup.offloads);
      if (done) done = start_peer(setup);
      if (done) done = wiring::start_softload(*guests_[i].client, setup.softload_percent);
    }
    if (!done) return fail(done.error());
    Bench bench;
    for (std::size_t i = 0; i < guests_.size(); ++i) add(bench, static_cast<int>(i) + 1);
    if (setup.topology == Topology::inside) {
      bench.here.push_back({"peer", driver_.name, driver_.bridge});
      return bench;
    }
    const auto b = wiring::peer_interface(setup.peer_card, setup.offloads);
    const EndpointProcess& peer = peers_.front();
    done = wiring::hand_over_card(*here, peer, b, setup.peer_cpu);
    if (done) done = wiring::introduce_guests(peer, b.device, static_cast<int>(guests_.size()));
    plugged_card_ = setup.system_card;
    if (done)
      done = wiring::plug_card(*here, setup.system_card, driver_.bridge, setup.offloads, setup.system_cpu);
    if (done)
      done =
          wiring::shape_link(&*here, nullptr, setup.system_card, peer, b.device, setup.link_bits_per_second);
    if (done) done = wiring::wait_for_carrier(peer, b.device);
    if (!done) return fail(done.error());
    const CountedDevice card_a{"system", driver_.name, setup.system_card},
        card_b{"peer", driver_.name, b.device};
    bench.peer.ipv4 = b.ipv4;
    for (EndPair& pair : bench.more) pair.peer.ipv4 = b.ipv4;
    bench.peer.devices = {card_b};
    bench.here.push_back(card_a);
    bench.wire = {card_a, card_b};
    return bench;
  }

 private:
  static Result<> set_offloads(const BridgedGuest& guest, bool on) {
    if (Result<> set = set_segmentation_offloads(guest.backend, on); !set) return set;
    const auto set =
        guest.client->ask({{"do", "offloads"}, {"device", guest.device}, {"on", on}}, order_limit);
    if (!set) return fail(set.error());
    return {};
  }

  // In the driver domain itself, or all in one namespace behind the card.
  Result<> start_peer(const Setup& setup) {
    const bool inside = setup.topology == Topology::inside, first = peers_.empty();
    peers_.reserve(guests_.size());  // the pointers into it stay good
    const Network network = inside ? Network::callers : first ? Network::own : Network::shared;
    auto peer = EndpointProcess::start({inside ? "the partner" : "the peer", setup.peer_cpu, network,
                                        first ? -1 : peers_.front().network_namespace()});
    if (!peer) return fail(peer.error());
    peers_.push_back(std::move(*peer));
    return {};
  }

  // As for both ends inside one machine.
  void add(Bench& bench, int number) {
    const BridgedGuest& guest = guests_[static_cast<std::size_t>(number - 1)];
    const CountedDevice frontend{"system", guest.name, guest.device},
        backend{"system", driver_.name, guest.backend};
    EndPair pair{{guest.client, wiring::guest_ipv4(number), true, {frontend}, guest.name},
                 {&peers_[static_cast<std::size_t>(number - 1)].client(), wiring::driver_ipv4, false, {}}};
    bench.here.push_back(backend);
    bench.wire.push_back(frontend);
    bench.wire.push_back(backend);
    if (number > 1) {
      bench.more.push_back(std::move(pair));
    } else {
      bench.system = std::move(pair.system);
      bench.peer = std::move(pair.peer);
    }
  }

  DriverDomain driver_;
  std::vector<BridgedGuest> guests_;
  std::vector<EndpointProcess> peers_;
  std::string plugged_card_;
};

}  // namespace

std::unique_ptr<Platform> make_bridged_guests(DriverDomain driver, std::vector<BridgedGuest> guests) {
  return std::make_unique<BridgedGuests>(std::move(driver), std::move(guests));
}

Result<nlohmann::json> obey_offloads(const JsonFields& order) {
  const auto device = order.text("device", 15);
  if (!device) return fail(device.error());
  const auto on = order.boolean("on");
  if (!on) return fail(on.error());
  if (Result<> set = set_segmentation_offloads(*device, *on); !set) return fail(set.error());
  return nlohmann::json{{"state", "done"}};
}

}  // namespace vtax
