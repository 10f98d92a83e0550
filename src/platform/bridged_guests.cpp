#include "platform/bridged_guests.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "platform/guests_middle.h"
#include "platform/offloads.h"
#include "platform/wiring.h"
#include "workload/local/sampler.h"

namespace vtax {
namespace {

using Network = EndpointProcess::Options::Network;

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

class BridgedGuests : public Platform {
 public:
  BridgedGuests(DriverDomain driver, std::vector<BridgedGuest> guests)
      : driver_(std::move(driver)), guests_(std::move(guests)) {}

  ~BridgedGuests() override {
    middle_.reset();
    if (Result<Links> here = Links::open())
      for (const std::string& card : plugged_cards_) static_cast<void>(here->release(card));
  }

  Result<Bench> arrange(const Setup& setup) override {
    const bool inside = setup.topology == Topology::inside;
    Result<Links> here = Links::open();
    if (!here) return fail(here.error());
    auto middle = make_guests_middle(*here, setup, driver_.bridge);
    if (!middle) return fail(middle.error());
    middle_ = std::move(*middle);
    Result<> done;
    for (int guest = 1; guest <= setup.guests && done; ++guest) {
      const BridgedGuest& one = guests_[static_cast<std::size_t>(guest - 1)];
      if (!setup.more_driver_cpus.empty())
        done = driver_.place_backend(guest, one.backend, interface_cpus(setup, guest));
      if (done) done = middle_->take_backend(*here, setup, guest, one.backend);
      if (done) done = middle_->set_offloads(one.backend, setup.offloads);
      if (done) done = wiring::set_offloads(*one.client, one.device, setup.offloads);
      if (done) done = start_peer(setup, guest);
      if (done) done = wiring::start_softload(*one.client, setup.softload_percent);
      if (done) done = wiring::start_sampling(*one.client, setup.sampling_hz);
    }
    if (done) done = sample_driver(setup);
    if (!done) return fail(done.error());
    Bench bench;
    for (int guest = 1; guest <= setup.guests; ++guest) add(bench, setup, guest);
    if (inside) {
      if (const std::string device = middle_->own_device(); !device.empty())
        bench.here.push_back({"peer", driver_.name, device});
      return bench;
    }
    bench.wire.clear();
    for (int wire = 0; wire < setup.wires() && done; ++wire) done = attach_peer(*here, setup, wire, bench);
    if (done) done = middle_->finish(setup);
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
    if (done && peer != nullptr && middle_->is_transparent())
      done = wiring::introduce_guests(*peer, b.device, setup.guests, setup.forwarding);
    plugged_cards_.push_back(card);
    if (done) done = middle_->take_card(here, setup, wire, card_cpu(setup, wire));
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
  std::unique_ptr<GuestsMiddle> middle_;
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
