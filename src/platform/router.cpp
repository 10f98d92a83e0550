#include "platform/router.h"

#include <utility>

#include "platform/card_rings.h"
#include "platform/kernel_file.h"
#include "platform/offloads.h"
#include "platform/placement.h"
#include "platform/wiring.h"

namespace vtax {
namespace {

constexpr char forwarding_switch[] = "/proc/sys/net/ipv4/ip_forward";

}  // namespace

Result<> Router::start(std::optional<Router>& place) {
  Result<Links> links = Links::open();
  if (!links) return fail(links.error());
  Router router(std::move(*links));
  auto before = read_kernel_file(forwarding_switch);
  if (!before) return fail(before.error());
  if (Result<> on = write_kernel_file(forwarding_switch, "1"); !on) return fail(on.error());
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
  if (!before_.empty()) static_cast<void>(write_kernel_file(forwarding_switch, before_));
}

Result<> Router::face_system(const std::string& device, int guest, bool offloads) {
  Result<> done = links_.set_mac(device, wiring::driver_mac);
  if (done) done = set_segmentation_offloads(device, offloads);
  if (done) done = links_.set_up(device);
  if (done) done = links_.add_address(device, wiring::driver_ipv4, wiring::host_bits);
  if (done) done = links_.add_neighbour(device, wiring::guest_ipv4(guest), wiring::guest_mac(guest));
  if (done) done = links_.add_route(wiring::guest_ipv4(guest), wiring::host_bits, device);
  return done;
}

Result<> Router::face_peers(const std::string& device, int way, bool offloads) {
  outward_.push_back(device);
  Result<> done = links_.set_mac(device, wiring::outer_mac);
  if (done) done = set_segmentation_offloads(device, offloads);
  if (done) done = links_.set_up(device);
  if (done) done = links_.add_address(device, wiring::outer_ipv4(way), wiring::prefix_bits);
  if (done) done = links_.add_neighbour(device, wiring::outer_peer_ipv4(way), wiring::peer_mac);
  return done;
}

Result<> Router::face_peers_by_card(const std::string& card, int way, bool offloads, int cpu) {
  const Result<std::vector<int>> interrupts = interrupts_of(card);
  if (!interrupts) return fail(interrupts.error());
  Result<> done = deepen_rings(card);
  if (done) done = face_peers(card, way, offloads);
  if (done) done = pin_interrupts(*interrupts, cpu);
  if (done) done = links_.wait_until_running(card, wiring::carrier_limit);
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
