#include <thread>

#include "agent/kernel_modules.h"
#include "agent/lab_layout.h"
#include "agent/machine.h"
#include "agent/self_check.h"
#include "platform/links.h"
#include "platform/wiring.h"
#include "platform/xen_pv.h"
#include "workload/endpoint.h"

namespace vtax::agent {
namespace {

// The frontend appears when its backend is ready.
Result<std::string> wait_for_card(Links& links) {
  Result<std::string> device;
  for (int attempt = 0; attempt < 1000; ++attempt) {
    device = links.find_by_mac(wiring::system_mac);
    if (device) break;
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  return device;
}

Result<> configure_network() {
  Result<Links> links = Links::open();
  if (!links) return fail(links.error());
  const auto device = wait_for_card(*links);
  if (!device) return fail(device.error());
  Result<> done = links->set_up(*device);
  if (done) done = links->add_address(*device, wiring::system_ipv4, wiring::prefix_bits);
  if (done) done = links->add_neighbour(*device, wiring::driver_ipv4, wiring::driver_mac);
  if (done) done = links->add_neighbour(*device, wiring::peer_ipv4, wiring::peer_mac);
  return done;
}

std::optional<Result<nlohmann::json>> obey(const std::string& order, const JsonFields& fields) {
  if (order == "offloads") return obey_offloads(fields);
  if (order == "known-work") return obey_known_work(fields);
  if (order == "modules") {
    return nlohmann::json{{"state", "done"}, {"modules", to_json(module_sections(lab::guest_name))}};
  }
  return std::nullopt;
}

}  // namespace

Result<> run_guest_machine() {
  if (Result<> configured = configure_network(); !configured) return configured;
  const auto listener = tcp_listen({wiring::system_ipv4, lab::control_port});
  if (!listener) return fail(listener.error());
  const auto watchdog = Watchdog::start(std::chrono::hours(1));
  if (!watchdog) return fail(watchdog.error());
  auto connection = tcp_accept(listener->get(), *watchdog);
  if (!connection) return fail(connection.error());
  return fail(Endpoint(ControlChannel(std::move(*connection), "the driver domain"), obey).serve());
}

}  // namespace vtax::agent
