#include "platform/driven_guests.h"

#include <utility>

#include "platform/offloads.h"
#include "platform/wiring.h"
#include "workload/traffic/run_request.h"

namespace vtax {
namespace {

constexpr std::chrono::seconds kShortLimit{10};

class DrivenGuests : public Platform {
 public:
  DrivenGuests(std::string domain, std::vector<RemoteDriver> drivers, std::vector<BridgedGuest> guests)
      : domain_(std::move(domain)), drivers_(std::move(drivers)), guests_(std::move(guests)) {}

  Result<Bench> arrange(const Setup& setup) override {
    if (setup.topology != Topology::card || setup.forwarding != Forwarding::bridge)
      return fail(Error{"set up the driver domains", "they have a card and a bridge each, and no router",
                        "take topology card and forwarding bridge", ExitCode::trial_failed});
    Result<Links> here = Links::open();
    if (!here) return fail(here.error());
    peers_.reserve(guests_.size());  // the pointers into it stay good
    Bench bench;
    bench.wire.clear();
    for (int guest = 1; guest <= setup.guests; ++guest)
      if (Result<> added = add_guest(setup, guest, bench); !added) return fail(added.error());
    for (int wire = 0; wire < setup.wires(); ++wire)
      if (Result<> joined = join(*here, setup, wire, bench); !joined) return fail(joined.error());
    return bench;
  }

 private:
  const RemoteDriver& driver_of(int wire) const { return drivers_[static_cast<std::size_t>(wire)]; }

  Result<> add_guest(const Setup& setup, int number, Bench& bench) {
    const BridgedGuest& guest = guests_[static_cast<std::size_t>(number - 1)];
    if (Result<> set = wiring::set_offloads(*guest.client, guest.device, setup.offloads); !set) return set;
    auto peer = wiring::start_on_wire(peers_, setup, number, "the peer", setup.peer_cpu);
    if (!peer) return fail(peer.error());
    peers_.push_back(std::move(*peer));
    if (Result<> begun = wiring::start_softload(*guest.client, setup.softload_percent); !begun) return begun;
    EndPair pair{
        {guest.client, wiring::guest_ipv4(number), true, {{"system", guest.name, guest.device}}, guest.name},
        {&peers_.back().client(), wiring::peer_interface("", setup.offloads).ipv4, false, {}}};
    bench.add(number, std::move(pair));
    return {};
  }

  // A wire's two ends: the driver domain with its guests, and the peer.
  Result<> join(Links& here, const Setup& setup, int wire, Bench& bench) {
    const RemoteDriver& driver = driver_of(wire);
    const EndpointProcess& peer = peers_[static_cast<std::size_t>(wire)];
    const auto b = wiring::peer_interface(setup.peer_card_of(wire), setup.offloads);
    Result<> done = wiring::hand_over_card(here, peer, b, setup.peer_cpu);
    if (done) done = wiring::introduce_guests(peer, b.device, setup.guests);
    if (!done) return done;
    RemoteDevices counted{driver.client, {}};
    nlohmann::json backends = nlohmann::json::array();
    for (int guest = 1; guest <= setup.guests; ++guest) {
      if (setup.wire_of(guest) != wire) continue;
      const BridgedGuest& one = guests_[static_cast<std::size_t>(guest - 1)];
      backends.push_back(one.backend);
      counted.devices.push_back({"system", driver.name, one.backend});
    }
    const auto carried = driver.client->ask({{"do", "carry"},
                                             {"bridge", driver.bridge},
                                             {"card", driver.card_mac},
                                             {"backends", backends},
                                             {"offloads", setup.offloads},
                                             {"link_bits_per_second", setup.link_bits_per_second}},
                                            wiring::kCarrierLimit + kShortLimit);
    if (!carried) return fail(carried.error());
    const auto card = carried->text("card", 15);
    if (!card) return fail(card.error());
    done = wiring::shape_end(peer, b.device, setup.link_bits_per_second);
    if (done) done = wiring::wait_for_carrier(peer, b.device);
    End& end = wire == 0 ? bench.peer : bench.more[static_cast<std::size_t>(wire - 1)].peer;
    end.devices = {{"peer", domain_, b.device}};
    counted.devices.push_back({"system", driver.name, *card});
    bench.wire.push_back(counted.devices.back());
    bench.wire.push_back(end.devices.front());
    bench.elsewhere.push_back(std::move(counted));
    return done;
  }

  std::string domain_;
  std::vector<RemoteDriver> drivers_;
  std::vector<BridgedGuest> guests_;
  std::vector<EndpointProcess> peers_;
};

}  // namespace

std::unique_ptr<Platform> make_driven_guests(std::string domain, std::vector<RemoteDriver> drivers,
                                             std::vector<BridgedGuest> guests) {
  return std::make_unique<DrivenGuests>(std::move(domain), std::move(drivers), std::move(guests));
}

Result<nlohmann::json> obey_carry(const JsonFields& order) {
  constexpr std::uint64_t kMostBits = 1'000'000'000'000;
  const auto bridge = order.text("bridge", 15), mac = order.text("card", 17);
  const auto offloads = order.boolean("offloads");
  const auto backends = device_names_from(order, "backends");
  const auto bits = order.number("link_bits_per_second", 0, kMostBits);
  for (const auto* text : {&bridge, &mac})
    if (!*text) return fail(text->error());
  if (!offloads) return fail(offloads.error());
  if (!backends) return fail(backends.error());
  if (!bits) return fail(bits.error());
  Result<Links> here = Links::open();
  if (!here) return fail(here.error());
  const auto card = here->find_by_mac(*mac);
  if (!card) return fail(card.error());
  Result<> done = set_segmentation_offloads(*bridge, *offloads);
  for (const std::string& backend : *backends)
    if (done) done = set_segmentation_offloads(backend, *offloads);
  if (done) done = wiring::plug_card(*here, *card, *bridge, *offloads, 0);
  if (done) done = wiring::shape_end(*here, *card, *bits);
  if (!done) return fail(done.error());
  return nlohmann::json{{"state", "done"}, {"card", *card}};
}

Result<nlohmann::json> obey_counters(const JsonFields& order) {
  const auto devices = device_names_from(order, "devices");
  if (!devices) return fail(devices.error());
  const auto counters = read_counters(*devices);
  if (!counters) return fail(counters.error());
  return nlohmann::json{{"state", "done"}, {"devices", counters_to_json(*counters)}};
}

Result<std::vector<DeviceCounters>> counters_of(const RemoteDevices& devices) {
  nlohmann::json names = nlohmann::json::array();
  for (const CountedDevice& device : devices.devices) names.push_back(device.device);
  const auto answer = devices.client->ask({{"do", "counters"}, {"devices", names}}, kShortLimit);
  if (!answer) return fail(answer.error());
  auto counters = counters_from(*answer);
  if (!counters) return counters;
  bool same = counters->size() == devices.devices.size();
  for (std::size_t i = 0; same && i < counters->size(); ++i)
    same = (*counters)[i].device == devices.devices[i].device;
  if (!same) return fail(answer->bad("not the devices that were asked for"));
  return counters;
}

}  // namespace vtax
