#include "platform/bridged_guests.h"

#include <algorithm>
#include <iterator>
#include <optional>
#include <utility>

#include "platform/offloads.h"
#include "platform/router.h"
#include "platform/wiring.h"
#include "workload/local/sampler.h"

namespace vtax {
namespace {

using Network = EndpointProcess::Options::Network;

// Of the second wire; the first one's is the guests' own.
constexpr char kSecondBridge[] = "vtaxbr1";

// The driver domain's CPUs besides its first, all of them in turn from place 0, 1, ... on.
std::vector<int> others_from(const Setup& setup, int place) {
  std::vector<int> cpus = setup.more_driver_cpus;
  if (!cpus.empty()) std::rotate(cpus.begin(), cpus.begin() + place % std::ssize(cpus), cpus.end());
  return cpus;
}

// The CPU of the driver domain for the interrupts of a wire's card.
int card_cpu(const Setup& setup, int wire) {
  if (setup.more_driver_cpus.empty()) return setup.system_cpu;
  if (setup.interrupts == DriverInterrupts::swapped) return others_from(setup, wire).front();
  if (setup.interrupts == DriverInterrupts::by_card && wire > 0) return others_from(setup, wire - 1).front();
  return setup.system_cpu;
}

int first_driver_cpu(const Setup& setup) {
  return setup.topology == Topology::inside ? setup.peer_cpu : setup.system_cpu;
}

// Those for the queues of a guest's virtual interface.
std::vector<int> interface_cpus(const Setup& setup, int guest) {
  if (setup.interrupts == DriverInterrupts::apart) return others_from(setup, guest - 1);
  const int wire = setup.wire_of(guest);
  if (setup.interrupts == DriverInterrupts::by_card && wire > 0)
    return {others_from(setup, wire - 1).front()};
  return {first_driver_cpu(setup)};
}

Result<> check_topology(const Setup& setup) {
  if (setup.topology != Topology::inside) return {};
  if (setup.forwarding == Forwarding::nat)
    return fail(Error{
        "translate addresses",
        "inside one machine the guest's partner is its driver domain itself: there is nobody to hide from",
        "take topology card", ExitCode::trial_failed});
  if (setup.forwarding == Forwarding::macvtap)
    return fail(Error{"set up the guests' macvtaps", "inside one machine there is no card that they are on",
                      "take topology card", ExitCode::trial_failed});
  return {};
}

class BridgedGuests : public Platform {
 public:
  BridgedGuests(DriverDomain driver, std::vector<BridgedGuest> guests)
      : driver_(std::move(driver)), guests_(std::move(guests)) {}

  ~BridgedGuests() override {
    router_.reset();
    if (Result<Links> here = Links::open())
      for (const std::string& card : plugged_cards_) static_cast<void>(here->release(card));
  }

  Result<Bench> arrange(const Setup& setup) override {
    const bool inside = setup.topology == Topology::inside;
    if (Result<> good = check_topology(setup); !good) return fail(good.error());
    Result<Links> here = Links::open();
    if (!here) return fail(here.error());
    Result<> done = make_middle(*here, setup);
    for (int guest = 1; guest <= setup.guests && done; ++guest) {
      const BridgedGuest& one = guests_[static_cast<std::size_t>(guest - 1)];
      done = attach(*here, setup, guest);
      if (done) done = set_offloads(one, setup);
      if (done) done = start_peer(setup, guest);
      if (done) done = wiring::start_softload(*one.client, setup.softload_percent);
      if (done) done = wiring::start_sampling(*one.client, setup.sampling_hz);
    }
    if (done) done = sample_driver(setup);
    if (!done) return fail(done.error());
    Bench bench;
    for (int guest = 1; guest <= setup.guests; ++guest) add(bench, setup, guest);
    if (inside) {
      if (!router_) bench.here.push_back({"peer", driver_.name, driver_.bridge});
      return bench;
    }
    bench.wire.clear();
    for (int wire = 0; wire < setup.wires() && done; ++wire) done = attach_peer(*here, setup, wire, bench);
    if (done && setup.forwarding == Forwarding::nat) done = router_->translate(setup.guests);
    if (!done) return fail(done.error());
    return bench;
  }

 private:
  Result<> sample_driver(const Setup& setup) {
    if (setup.sampling_hz == 0) return {};
    std::vector<int> cpus{first_driver_cpu(setup)};
    cpus.insert(cpus.end(), setup.more_driver_cpus.begin(), setup.more_driver_cpus.end());
    auto sampler = Sampler::start(setup.sampling_hz, cpus);
    if (!sampler) return fail(sampler.error());
    sampler_ = std::move(*sampler);
    return {};
  }

  // A macvtap has none to switch off: it segments nothing, and its card before it.
  static Result<> set_offloads(const BridgedGuest& guest, const Setup& setup) {
    if (setup.forwarding != Forwarding::macvtap)
      if (Result<> set = set_segmentation_offloads(guest.backend, setup.offloads); !set) return set;
    return wiring::set_offloads(*guest.client, guest.device, setup.offloads);
  }

  // The bridge that is there, with one for the second wire; or a router, or nothing, in their place.
  Result<> make_middle(Links& here, const Setup& setup) {
    if (setup.forwarding == Forwarding::macvtap) return {};
    if (setup.forwarding != Forwarding::bridge) return Router::start(router_);
    Result<> done = set_segmentation_offloads(driver_.bridge, setup.offloads);
    if (done && setup.wires() > 1) done = wiring::make_bridge(here, kSecondBridge, setup.offloads);
    if (done && setup.wires() > 1)
      done = here.add_address(kSecondBridge, wiring::kDriverIpv4, wiring::kHostBits);
    return done;
  }

  std::string bridge_of(int wire) const { return wire == 0 ? driver_.bridge : kSecondBridge; }
  // In which a wire's card is.
  std::string bridge_of_card(const Setup& setup, int wire) const {
    return setup.forwarding == Forwarding::macvtap ? "" : bridge_of(wire);
  }

  // From the bridge in which the guest's backend is since it was made to where this trial wants it. The
  // connection to its agent outlasts that.
  Result<> attach(Links& here, const Setup& setup, int guest) {
    const BridgedGuest& one = guests_[static_cast<std::size_t>(guest - 1)];
    const int wire = setup.wire_of(guest);
    if (!setup.more_driver_cpus.empty())
      if (Result<> placed = driver_.place_backend(guest, one.backend, interface_cpus(setup, guest)); !placed)
        return placed;
    if (setup.forwarding == Forwarding::macvtap || (!router_ && wire == 0)) return {};
    Result<> done = here.release(one.backend);
    if (!done) return done;
    if (router_) return router_->face_system(one.backend, guest, setup.offloads);
    done = wiring::plug(here, one.backend, bridge_of(wire), setup.offloads);
    if (done) done = here.add_neighbour(bridge_of(wire), wiring::guest_ipv4(guest), wiring::guest_mac(guest));
    if (done) done = here.add_route(wiring::guest_ipv4(guest), wiring::kHostBits, bridge_of(wire));
    return done;
  }

  // In the driver domain itself, or in one namespace behind each card.
  Result<> start_peer(const Setup& setup, int guest) {
    if (setup.peers_elsewhere != nullptr) return {};
    peers_.reserve(guests_.size());  // the pointers into it stay good
    auto peer = setup.topology == Topology::inside
                    ? EndpointProcess::start({"the partner", setup.peer_cpu, Network::callers, -1})
                    : wiring::start_on_wire(peers_, setup, guest, "the peer", setup.peer_cpu);
    if (!peer) return fail(peer.error());
    peers_.push_back(std::move(*peer));
    return {};
  }

  // As for both ends inside one machine.
  void add(Bench& bench, const Setup& setup, int number) {
    const BridgedGuest& guest = guests_[static_cast<std::size_t>(number - 1)];
    const int wire = setup.wire_of(number);
    const CountedDevice frontend{"system", guest.name, guest.device},
        backend{"system", driver_.name, guest.backend};
    const std::string peer_ipv4 =
        setup.topology == Topology::inside
            ? wiring::kDriverIpv4
            : wiring::peer_interface("", setup.offloads, setup.forwarding, wire).ipv4;
    EndPair pair{{guest.client,
                  wiring::work_ipv4(number, setup.forwarding),
                  true,
                  {frontend},
                  guest.name,
                  wiring::name_outside(setup.forwarding, wire)},
                 {wiring::peer_client(setup.peers_elsewhere, peers_, static_cast<std::size_t>(number - 1)),
                  peer_ipv4,
                  false,
                  {}}};
    bench.here.push_back(backend);
    bench.wire.push_back(frontend);
    bench.wire.push_back(backend);
    bench.add(number, std::move(pair));
  }

  Result<> attach_peer(Links& here, const Setup& setup, int wire, Bench& bench) {
    const std::string& card = setup.system_card_of(wire);
    const auto b = wiring::peer_interface(setup.peer_card_of(wire), setup.offloads, setup.forwarding, wire);
    const EndpointProcess* const peer =
        setup.peers_elsewhere != nullptr ? nullptr : &peers_[static_cast<std::size_t>(wire)];
    Result<> done;
    if (peer != nullptr) done = wiring::hand_over_card(here, *peer, b, setup.peer_cpu);
    if (done && peer != nullptr && !router_)
      done = wiring::introduce_guests(*peer, b.device, setup.guests, setup.forwarding);
    plugged_cards_.push_back(card);
    if (done)
      done = router_ ? router_->face_peers_by_card(card, wire, setup.offloads, card_cpu(setup, wire))
                     : wiring::plug_card(here, card, bridge_of_card(setup, wire), setup.offloads,
                                         card_cpu(setup, wire));
    if (done) done = wiring::shape_end(here, card, setup.link_bits_per_second);
    if (done && peer != nullptr) done = wiring::shape_end(*peer, b.device, setup.link_bits_per_second);
    if (done && peer != nullptr) done = wiring::wait_for_carrier(*peer, b.device);
    wiring::count_wire(bench, wire, {"system", driver_.name, card},
                       {"peer", setup.peer_domain(driver_.name), b.device});
    return done;
  }

  DriverDomain driver_;
  std::vector<BridgedGuest> guests_;
  std::vector<EndpointProcess> peers_;
  std::optional<Router> router_;  // in the bridges' place
  std::vector<std::string> plugged_cards_;
  std::unique_ptr<Sampler> sampler_;
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
