#include "platform/switched_guests.h"

#include <utility>

#include "platform/wiring.h"

namespace vtax {
namespace {

class SwitchedGuests : public Platform {
 public:
  SwitchedGuests(std::string domain, std::vector<BridgedGuest> guests)
      : domain_(std::move(domain)), guests_(std::move(guests)) {}

  Result<Bench> arrange(const Setup& setup) override {
    if (setup.topology != Topology::card || setup.wires() > 1)
      return fail(Error{"set up the guests with functions of a card",
                        "it is the card with a wire to the peer", "take topology card and one card",
                        ExitCode::trial_failed});
    Result<Links> here = Links::open();
    if (!here) return fail(here.error());
    peers_.reserve(guests_.size());  // the pointers into it stay good
    Bench bench;
    bench.wire.clear();
    Result<> done;
    for (int guest = 1; guest <= setup.guests && done; ++guest) done = add_guest(setup, guest, bench);
    if (done) done = attach_peer(*here, setup, bench);
    if (!done) return fail(done.error());
    return bench;
  }

 private:
  Result<> add_guest(const Setup& setup, int number, Bench& bench) {
    const BridgedGuest& guest = guests_[static_cast<std::size_t>(number - 1)];
    if (Result<> set = wiring::set_offloads(*guest.client, guest.device, setup.offloads); !set) return set;
    auto peer = wiring::start_on_wire(peers_, setup, number, "the peer", setup.peer_cpu);
    if (!peer) return fail(peer.error());
    peers_.push_back(std::move(*peer));
    Result<> done = wiring::start_softload(*guest.client, setup.softload_percent);
    if (done) done = wiring::start_sampling(*guest.client, setup.sampling_hz);
    const CountedDevice function{"system", guest.name, guest.device};
    bench.wire.push_back(function);
    EndPair pair{{guest.client, wiring::second_ipv4(number), false, {function}, guest.name},
                 {&peers_.back().client(), wiring::kPeerIpv4, false, {}}};
    bench.add(number, std::move(pair));
    return done;
  }

  Result<> attach_peer(Links& here, const Setup& setup, Bench& bench) {
    const auto b = wiring::peer_interface(setup.peer_card, setup.offloads, setup.forwarding);
    const EndpointProcess& peer = peers_.front();
    Result<> done = wiring::hand_over_card(here, peer, b, setup.peer_cpu);
    if (done) done = wiring::introduce_guests(peer, b.device, setup.guests, setup.forwarding);
    if (done) done = wiring::wait_for_carrier(peer, b.device);
    bench.peer.devices = {{"peer", domain_, b.device}};
    bench.wire.push_back(bench.peer.devices.front());
    return done;
  }

  std::string domain_;
  std::vector<BridgedGuest> guests_;
  std::vector<EndpointProcess> peers_;
};

}  // namespace

std::unique_ptr<Platform> make_switched_guests(std::string domain, std::vector<BridgedGuest> guests) {
  return std::make_unique<SwitchedGuests>(std::move(domain), std::move(guests));
}

}  // namespace vtax
