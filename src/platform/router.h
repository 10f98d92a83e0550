#pragma once

#include <optional>
#include <string>
#include <vector>

#include "platform/address_translation.h"
#include "platform/links.h"
#include "platform/platform.h"

namespace vtax {

// What stands in a bridge's place with Forwarding::route and Forwarding::nat: the caller's network namespace
// forwards IPv4 packets between the systems under test, each behind a device and a host route of its own, and
// the peers, in a subnet of their own. As Xen's vif-route and vif-nat do it, but with neighbours that are
// known for ever. Addresses are wiring's. Its end switches forwarding and translation off again.
class Router {
 public:
  // Into `place`, where it stays for the trial.
  [[nodiscard]] static Result<> start(std::optional<Router>& place);
  Router(Router&& other) noexcept;
  Router& operator=(Router&&) = delete;
  ~Router();

  // The device that leads to system 1, 2, ... becomes an end of its own, with the driver domain's address.
  [[nodiscard]] Result<> face_system(const std::string& device, int guest, bool offloads);
  // The device that leads to the peers of the first or second way (0, 1).
  [[nodiscard]] Result<> face_peers(const std::string& device, int way, bool offloads);
  // The same with a card: its interrupts go to `cpu`, and this waits until it has its carrier.
  [[nodiscard]] Result<> face_peers_by_card(const std::string& card, int way, bool offloads, int cpu);

  // After the devices: peers see the driver domain's address, and reach system 1, 2, ... by the port of its
  // work.
  [[nodiscard]] Result<> translate(int guests);

 private:
  explicit Router(Links links) : links_(std::move(links)) {}
  Links links_;
  std::string before_;  // what the kernel's switch said; empty: moved from
  std::vector<std::string> outward_;
  std::optional<AddressTranslation> translation_;
};

}  // namespace vtax
