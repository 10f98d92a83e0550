#include "platform/guests_elsewhere.h"

#include <utility>

#include "platform/wiring.h"

namespace vtax {
namespace {

class WithGuestsElsewhere : public Platform {
 public:
  WithGuestsElsewhere(std::unique_ptr<Platform> own, std::string driver, std::vector<GuestElsewhere> guests,
                      bool own_ask)
      : own_(std::move(own)), driver_(std::move(driver)), guests_(std::move(guests)), own_ask_(own_ask) {}

  Result<Bench> arrange(const Setup& setup) override {
    Result<Bench> bench = own_->arrange(setup);
    if (!bench) return bench;
    int systems = setup.guests;
    if (!own_ask_) {
      Bench without;
      without.here = std::move(bench->here);
      *bench = std::move(without);
      systems = 0;
    }
    peers_.reserve(guests_.size());  // the pointers into it stay good
    for (const GuestElsewhere& guest : guests_) {
      const Result<> set = wiring::set_offloads(*guest.client, guest.device, setup.offloads);
      if (!set) return fail(set.error());
      auto peer = EndpointProcess::start(
          {"the partner", setup.peer_cpu, EndpointProcess::Options::Network::callers, -1});
      if (!peer) return fail(peer.error());
      peers_.push_back(std::move(*peer));
      const CountedDevice frontend{"system", guest.name, guest.device};
      bench->wire.push_back(frontend);
      bench->add(++systems, {{guest.client, wiring::guest_ipv4(guest.number), true, {frontend}, guest.name},
                             {&peers_.back().client(), wiring::kDriverIpv4, false, {}}});
    }
    const CountedDevice card{"system", driver_, setup.system_card};
    bench->here.push_back(card);
    bench->wire.push_back(card);
    return bench;
  }

 private:
  std::unique_ptr<Platform> own_;
  std::string driver_;
  std::vector<GuestElsewhere> guests_;
  bool own_ask_;
  std::vector<EndpointProcess> peers_;
};

}  // namespace

std::unique_ptr<Platform> make_with_guests_elsewhere(std::unique_ptr<Platform> own,
                                                     const DriverDomain& driver,
                                                     std::vector<GuestElsewhere> guests, bool own_ask) {
  return std::make_unique<WithGuestsElsewhere>(std::move(own), driver.name, std::move(guests), own_ask);
}

}  // namespace vtax
