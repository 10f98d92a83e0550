#include "agent/driver_domains.h"

#include <filesystem>

#include "agent/guest_connection.h"
#include "agent/kernel_modules.h"
#include "agent/lab_layout.h"
#include "agent/toolstack.h"
#include "platform/backend_placement.h"
#include "platform/links.h"
#include "platform/wiring.h"

namespace vtax::agent {
namespace {

namespace fs = std::filesystem;

constexpr std::chrono::seconds kDriverBootLimit{200}, kPlugLimit{30};  // of guest time

std::string bridge_to(int driver) {
  return "xenbr" + std::to_string(driver - 1);
}

const char* card_of(int driver) {
  return driver == 1 ? lab::kSystemCardMac : lab::kSecondSystemCardMac;
}

// "0000:00:04.0"
Result<std::string> pci_name(Links& links, const std::string& mac) {
  const auto device = links.find_by_mac(mac);
  if (!device) return fail(device.error());
  std::error_code error;
  const fs::path place = fs::canonical(fs::path("/sys/class/net") / *device / "device", error);
  if (error) return fail(system_error("cannot find the card " + *device, error.value()));
  return place.filename().string();
}

Result<> load_giver() {
  if (Result<> loaded = load_modules(lab::kGiverModulesFile); !loaded) return loaded;
  if (fs::exists("/sys/bus/pci/drivers/pciback")) return {};
  return fail(Error{"give a card to a driver domain", "Domain-0's kernel has no xen-pciback",
                    "build it with CONFIG_XEN_PCIDEV_BACKEND", ExitCode::trial_failed});
}

// This domain has the same address on each; the first one leads to everybody who is not behind another.
Result<> make_bridge_to(Links& links, const DriverShape& shape, int driver) {
  const std::string bridge = bridge_to(driver);
  Result<> done = wiring::make_bridge(links, bridge, true);
  if (done)
    done =
        links.add_address(bridge, wiring::kDriverIpv4, driver == 1 ? wiring::kPrefixBits : wiring::kHostBits);
  const auto reach = [&](const std::string& ipv4, const std::string& mac) {
    if (done) done = links.add_neighbour(bridge, ipv4, mac);
    if (done && driver > 1) done = links.add_route(ipv4, wiring::kHostBits, bridge);
  };
  reach(wiring::driver_domain_ipv4(driver), wiring::driver_domain_mac(driver));
  for (int guest = 1; guest <= shape.guests; ++guest)
    if (lab::driver_of(guest, shape.driver_domains) == driver)
      reach(wiring::guest_ipv4(guest), wiring::guest_mac(guest));
  return done;
}

}  // namespace

Result<DriverDomains> create_driver_domains(const DriverShape& shape) {
  DriverDomains out;
  if (shape.driver_domains == 0) return out;
  Result<Links> links = Links::open();
  if (!links) return fail(links.error());
  if (Result<> loaded = load_giver(); !loaded) return fail(loaded.error());
  for (int driver = 1; driver <= shape.driver_domains; ++driver) {
    const auto card = pci_name(*links, card_of(driver));
    if (!card) return fail(card.error());
    Result<> done = give_away(*card);
    if (done) done = make_bridge_to(*links, shape, driver);
    if (done)
      done = create_driver_domain(
          {driver, lab::driver_name(driver), std::to_string(lab::cpu_of_driver(driver, shape.driver_cpus)),
           lab::kDriverMemoryMib, *card, wiring::driver_uplink_mac(driver), bridge_to(driver)});
    if (!done) return fail(done.error());
  }
  for (int driver = 1; driver <= shape.driver_domains; ++driver) {
    auto client = connect_to_guest(wiring::driver_domain_ipv4(driver), lab::driver_name(driver),
                                   shape.driver_domains * kDriverBootLimit);
    if (!client) return fail(client.error());
    out.clients.push_back(std::move(*client));
    out.drivers.push_back({lab::driver_name(driver), nullptr, lab::kDriverBridge, card_of(driver)});
    if (Result<> placed = place_vif(lab::vif_of(driver), {lab::kDriverCpu}); !placed)
      return fail(placed.error());
  }
  return out;
}

Result<> plug_guest(DriverDomains& domains, const DriverShape& shape, int guest) {
  if (domains.clients.empty()) return {};
  const auto driver = static_cast<std::size_t>(lab::driver_of(guest, shape.driver_domains) - 1);
  const auto plugged = domains.clients[driver].ask(
      {{"do", "plug"}, {"domain", lab::xen_domain_of(guest, shape.driver_domains)}}, kPlugLimit);
  if (!plugged) return fail(plugged.error());
  return {};
}

}  // namespace vtax::agent
