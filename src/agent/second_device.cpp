#include "agent/second_device.h"

#include "agent/guest_connection.h"
#include "platform/links.h"
#include "platform/wiring.h"

namespace vtax::agent {
namespace {

constexpr std::chrono::seconds kSecondDeviceLimit{
    60};  // of guest time: a function's driver asks for its carrier now and then

}  // namespace

Result<std::string> take_second_device(EndpointClient& client, const char* order, int guest) {
  const auto taken =
      client.ask({{"do", order}, {"ipv4", wiring::second_ipv4(guest)}, {"mac", wiring::second_mac(guest)}},
                 kSecondDeviceLimit);
  if (!taken) return fail(taken.error());
  return taken->text("device", 15);
}

Result<nlohmann::json> obey_second_device(const JsonFields& order,
                                          const std::function<Result<>(const std::string& device)>& prepare) {
  const auto ipv4 = order.text("ipv4", 15), mac = order.text("mac", 17);
  for (const auto* text : {&ipv4, &mac})
    if (!*text) return fail(text->error());
  Result<Links> links = Links::open();
  if (!links) return fail(links.error());
  const auto device = wait_for_interface(*links, *mac);
  if (!device) return fail(device.error());
  Result<> done = prepare(*device);
  if (done) done = links->set_up(*device);
  if (done) done = links->add_address(*device, *ipv4, wiring::kHostBits);
  if (done) done = links->add_neighbour(*device, wiring::kPeerIpv4, wiring::kPeerMac);
  if (done) done = links->add_route(wiring::kPeerIpv4, wiring::kHostBits, *device);
  if (done) done = links->wait_until_running(*device, wiring::kCarrierLimit);
  if (!done) return fail(done.error());
  return nlohmann::json{{"state", "done"}, {"device", *device}};
}

}  // namespace vtax::agent
