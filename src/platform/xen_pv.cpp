#include "platform/xen_pv.h"

#include <optional>
#include <utility>

#include "platform/offloads.h"
#include "platform/placement.h"
#include "platform/wiring.h"

namespace vtax {
namespace {

using Network = EndpointProcess::Options::Network;

constexpr char domain_0[] = "Domain-0";
constexpr std::chrono::seconds order_limit{10};

class XenPv : public Platform {
 public:
  XenPv(XenGuest guest, EndpointClient& client) : guest_(std::move(guest)), client_(client) {}

  ~XenPv() override {
    if (plugged_card_.empty()) return;
    if (Result<Links> here = Links::open()) static_cast<void>(here->release(plugged_card_));
  }

  Result<Bench> arrange(const Setup& setup) override {
    Result<Links> here = Links::open();
    if (!here) return fail(here.error());
    Result<> done = set_segmentation_offloads(guest_.vif, setup.offloads);
    if (done) done = set_segmentation_offloads(guest_.bridge, setup.offloads);
    if (!done) return fail(done.error());
    const auto set =
        client_.ask({{"do", "offloads"}, {"device", guest_.device}, {"on", setup.offloads}}, order_limit);
    if (!set) return fail(set.error());

    const CountedDevice frontend{"system", guest_.name, guest_.device},
        backend{"system", domain_0, guest_.vif};
    const bool inside = setup.topology == Topology::inside;
    auto peer = EndpointProcess::start(
        {inside ? "the partner" : "the peer", setup.peer_cpu, inside ? Network::callers : Network::own, -1});
    if (!peer) return fail(peer.error());
    peer_.emplace(std::move(*peer));
    const End system{&client_, wiring::system_ipv4, true, {frontend}};
    if (inside) {
      return Bench{system,
                   {&peer_->client(), wiring::driver_ipv4, false, {}},
                   {backend, {"peer", domain_0, guest_.bridge}},
                   {frontend, backend}};
    }
    const auto b = wiring::peer_interface(setup.peer_card, setup.offloads);
    done = wiring::hand_over_card(*here, *peer_, b, setup.peer_cpu);
    plugged_card_ = setup.system_card;
    if (done)
      done = wiring::plug_card(*here, setup.system_card, guest_.bridge, setup.offloads, setup.system_cpu);
    if (done) done = wiring::wait_for_carrier(*peer_, b.device);
    if (!done) return fail(done.error());
    const CountedDevice card_a{"system", domain_0, setup.system_card}, card_b{"peer", domain_0, b.device};
    return Bench{system, {&peer_->client(), b.ipv4, false, {card_b}}, {backend, card_a}, {card_a, card_b}};
  }

 private:
  XenGuest guest_;
  EndpointClient& client_;
  std::optional<EndpointProcess> peer_;
  std::string plugged_card_;
};

}  // namespace

std::unique_ptr<Platform> make_xen_pv(XenGuest guest, EndpointClient& client) {
  return std::make_unique<XenPv>(std::move(guest), client);
}

Result<> place_backend(const std::string& vif, int cpu) {
  const auto threads = pin_kernel_threads({vif + "-", "xenwatch", "xenbus"}, cpu);
  if (!threads) return fail(threads.error());
  const auto interrupts = interrupts_named(vif);
  if (!interrupts) return fail(interrupts.error());
  return pin_interrupts(*interrupts, cpu);
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
