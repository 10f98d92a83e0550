#include <thread>

#include "agent/guest_connection.h"
#include "agent/kernel_modules.h"
#include "agent/lab_layout.h"
#include "agent/machine.h"
#include "platform/driven_guests.h"
#include "platform/links.h"
#include "platform/wiring.h"
#include "platform/xenstore.h"

// What Xen's driver domain does: a card by PCI passthrough, a bridge, and the network backends of its guests.
namespace vtax::agent {
namespace {

// Until the backend of a guest that is being created appears.
constexpr std::chrono::milliseconds kBackendPatience{20};
constexpr int kBackendAttempts = 1000;

// The card comes with its bus, the interface to Domain-0 with its backend. Neither is in use before a trial
// needs the card.
Result<> configure_bridge(int driver) {
  Result<Links> links = Links::open();
  if (!links) return fail(links.error());
  const char* const card = driver == 1 ? lab::kSystemCardMac : lab::kSecondSystemCardMac;
  if (const auto there = wait_for_interface(*links, card); !there) return fail(there.error());
  const auto uplink = wait_for_interface(*links, wiring::driver_uplink_mac(driver));
  if (!uplink) return fail(uplink.error());
  Result<> done = links->add_bridge(lab::kDriverBridge);
  if (done) done = links->set_mac(lab::kDriverBridge, wiring::driver_domain_mac(driver));
  if (done) done = links->set_up(lab::kDriverBridge);
  if (done) done = wiring::plug(*links, *uplink, lab::kDriverBridge, true);
  if (done)
    done = links->add_address(lab::kDriverBridge, wiring::driver_domain_ipv4(driver), wiring::kPrefixBits);
  if (done) done = links->add_neighbour(lab::kDriverBridge, wiring::kDriverIpv4, wiring::kDriverMac);
  return done;
}

// What Xen's hotplug script does where udev runs one: {"do": "plug", "domain": Xen's number of the guest}.
Result<nlohmann::json> obey_plug(const JsonFields& order) {
  const auto domain = order.number("domain", 1, 1000);
  if (!domain) return fail(domain.error());
  const std::string vif = lab::vif_of(static_cast<int>(*domain));
  Result<Links> links = Links::open();
  if (!links) return fail(links.error());
  Result<std::uint32_t> index = links->index_of(vif);
  for (int attempt = 0; !index && attempt < kBackendAttempts; ++attempt) {
    std::this_thread::sleep_for(kBackendPatience);
    index = links->index_of(vif);
  }
  if (!index) return fail(index.error());
  if (Result<> plugged = wiring::plug(*links, vif, lab::kDriverBridge, true); !plugged)
    return fail(plugged.error());
  Result<Xenstore> store = Xenstore::open();
  if (!store) return fail(store.error());
  const Result<> told =
      store->write("backend/vif/" + std::to_string(*domain) + "/0/hotplug-status", "connected");
  if (!told) return fail(told.error());
  return nlohmann::json{{"state", "done"}};
}

std::optional<Result<nlohmann::json>> obey_controller(const std::string& order, const JsonFields& fields,
                                                      ControlChannel&) {
  if (order == "plug") return obey_plug(fields);
  if (order == "carry") return obey_carry(fields);
  if (order == "counters") return obey_counters(fields);
  if (order == "modules")
    return nlohmann::json{{"state", "done"}, {"modules", to_json(module_sections("driver"))}};
  return std::nullopt;
}

}  // namespace

Result<> run_driver_domain(int driver) {
  Result<> done = load_modules(lab::kDriverModulesFile);
  if (done) done = configure_bridge(driver);
  if (!done) return done;
  return serve_controller(wiring::driver_domain_ipv4(driver), obey_controller);
}

}  // namespace vtax::agent
