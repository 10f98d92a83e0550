#include "platform/router.h"

#include <utility>

#include "core/kernel_file.h"
#include "platform/card_rings.h"
#include "platform/offloads.h"
#include "platform/placement.h"
#include "platform/wiring.h"

namespace vtax {
namespace {

constexpr char kForwardingSwitch[] = "/proc/sys/net/ipv4/ip_forward";

}  // namespace

Result<> Router::start(std::optional<Router>& place) {
  Result<Links> links = Links::open();
  if (!links) return fail(links.error());
  Router router(std::move(*links));
  auto before = read_kernel_file(kForwardingSwitch);
  if (!before) return fail(before.error());
  if (Result<> on = write_kernel_file(kForwardingSwitch, "1"); !on) return fail(on.error());
  router.before_ = std::move(*before);
  place.emplace(std::move(router));
  return {};
}

Router::Router(Router&& other) noexcept
    : links_(std::move(other.links_)),
      before_(std::exchange(other.before_, {})),
      outward_(std::move(other.outward_)),
      translation_(std::move(other.translation_)) {}

Router::~Router() {
  if (!before_.empty()) static_cast<void>(write_kernel_file(kForwardingSwitch, before_));
}

Result<> Router::face_system(const std::string& device, int guest, bool offloads) {
  Result<> done = links_.set_mac(device, wiring::kDriverMac);
  if (done) done = set_segmentation_offloads(device, offloads);
  if (done) done = links_.set_up(device);
  if (done) done = links_.add_address(device, wiring::kDriverIpv4, wiring::kHostBits);
  if (done) done = links_.add_neighbour(device, wiring::guest_ipv4(guest), wiring::guest_mac(guest));
  if (done) done = links_.add_route(wiring::guest_ipv4(guest), wiring::kHostBits, device);
  return done;
}

Result<> Router::face_peers(const std::string& device, int way, bool offloads) {
  outward_.push_back(device);
  Result<> done = links_.set_mac(device, wiring::kOuterMac);
  if (done) done = set_segmentation_offloads(device, offloads);
  if (done) done = links_.set_up(device);
  if (done) done = links_.add_address(device, wiring::outer_ipv4(way), wiring::kPrefixBits);
  if (done) done = links_.add_neighbour(device, wiring::outer_peer_ipv4(way), wiring::kPeerMac);
  return done;
}

Result<> Router::face_peers_by_card(const std::string& card, int way, bool offloads, int cpu) {
  const Result<std::vector<int>> interrupts = interrupts_of(card);
  if (!interrupts) return fail(interrupts.error());
  Result<> done = deepen_rings(card);
  if (done) done = face_peers(card, way, offloads);
  if (done) done = pin_interrupts(*interrupts, cpu);
  if (done) done = links_.wait_until_running(card, wiring::kCarrierLimit);
  return done;
}

Result<> Router::translate(int guests) {
  std::vector<ForwardedPort> ports;
  for (int guest = 1; guest <= guests; ++guest)
    ports.push_back({work_port_of(guest), wiring::guest_ipv4(guest)});
  auto translation = AddressTranslation::start(outward_, ports);
  if (!translation) return fail(translation.error());
  translation_.emplace(std::move(*translation));
  return {};
}

}  // namespace vtax
