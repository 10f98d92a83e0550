#include "platform/guests_middle.h"

#include <optional>
#include <utility>

#include "platform/offloads.h"
#include "platform/router.h"
#include "platform/wiring.h"

namespace vtax {
namespace {

// Of the second wire; the first one's is the guests' own.
constexpr char kSecondBridge[] = "vtaxbr1";

class BridgesMiddle : public GuestsMiddle {
 public:
  explicit BridgesMiddle(std::string bridge) : bridge_(std::move(bridge)) {}

  Result<> make(Links& here, const Setup& setup) const {
    Result<> done = set_segmentation_offloads(bridge_, setup.offloads);
    if (!done || setup.wires() == 1) return done;
    done = wiring::make_bridge(here, kSecondBridge, setup.offloads);
    if (done) done = here.add_address(kSecondBridge, wiring::kDriverIpv4, wiring::kHostBits);
    return done;
  }

  Result<> set_offloads(const std::string& backend, bool on) override {
    return set_segmentation_offloads(backend, on);
  }

  Result<> take_backend(Links& here, const Setup& setup, int guest, const std::string& backend) override {
    const int wire = setup.wire_of(guest);
    if (wire == 0) return {};
    const std::string bridge = bridge_of(wire);
    Result<> done = here.release(backend);
    if (done) done = wiring::plug(here, backend, bridge, setup.offloads);
    if (done) done = here.add_neighbour(bridge, wiring::guest_ipv4(guest), wiring::guest_mac(guest));
    if (done) done = here.add_route(wiring::guest_ipv4(guest), wiring::kHostBits, bridge);
    return done;
  }

  Result<> take_card(Links& here, const Setup& setup, int wire, int cpu) override {
    return wiring::plug_card(here, setup.system_card_of(wire), bridge_of(wire), setup.offloads, cpu);
  }

  [[nodiscard]] std::string own_device() const override { return bridge_; }

 private:
  [[nodiscard]] std::string bridge_of(int wire) const { return wire == 0 ? bridge_ : kSecondBridge; }

  std::string bridge_;
};

class RouterMiddle : public GuestsMiddle {
 public:
  Result<> make() { return Router::start(router_); }

  Result<> set_offloads(const std::string& backend, bool on) override {
    return set_segmentation_offloads(backend, on);
  }

  Result<> take_backend(Links& here, const Setup& setup, int guest, const std::string& backend) override {
    if (Result<> free = here.release(backend); !free) return free;
    return router_->face_system(backend, guest, setup.offloads);
  }

  Result<> take_card(Links&, const Setup& setup, int wire, int cpu) override {
    return router_->face_peers_by_card(setup.system_card_of(wire), wire, setup.offloads, cpu);
  }

  Result<> finish(const Setup& setup) override {
    return setup.forwarding == Forwarding::nat ? router_->translate(setup.guests) : Result<>();
  }

  [[nodiscard]] bool is_transparent() const override { return false; }

 private:
  std::optional<Router> router_;
};

class NoMiddle : public GuestsMiddle {
 public:
  // A macvtap has none to switch off: it segments nothing, and its card before it.
  Result<> set_offloads(const std::string&, bool) override { return {}; }

  Result<> take_backend(Links&, const Setup&, int, const std::string&) override { return {}; }

  Result<> take_card(Links& here, const Setup& setup, int wire, int cpu) override {
    constexpr char kNoBridge[] = "";
    return wiring::plug_card(here, setup.system_card_of(wire), kNoBridge, setup.offloads, cpu);
  }
};

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

}  // namespace

Result<std::unique_ptr<GuestsMiddle>> make_guests_middle(Links& here, const Setup& setup,
                                                         const std::string& bridge) {
  if (Result<> good = check_topology(setup); !good) return fail(good.error());
  if (setup.forwarding == Forwarding::macvtap) return std::make_unique<NoMiddle>();
  if (setup.forwarding == Forwarding::bridge) {
    auto bridges = std::make_unique<BridgesMiddle>(bridge);
    if (Result<> made = bridges->make(here, setup); !made) return fail(made.error());
    return bridges;
  }
  auto router = std::make_unique<RouterMiddle>();
  if (Result<> made = router->make(); !made) return fail(made.error());
  return router;
}

}  // namespace vtax
