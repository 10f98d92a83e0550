#include "agent/guest_connection.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <thread>

#include "agent/kernel_modules.h"
#include "agent/lab_layout.h"
#include "subject/boot_words.h"
#include "workload/measure/watchdog.h"
#include "workload/traffic/tcp_socket.h"

namespace vtax::agent {

Result<EndpointClient> connect_to_guest(const std::string& ipv4, const std::string& name,
                                        std::chrono::seconds limit) {
  const auto watchdog = Watchdog::start(limit);
  if (!watchdog) return fail(watchdog.error());
  while (true) {
    auto connection = tcp_connect({ipv4, lab::kControlPort}, 0, {}, *watchdog);
    if (connection) return EndpointClient(ControlChannel(std::move(*connection), name));
    if (watchdog->expired()) return fail(watchdog->timeout(kReachGuest));
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
}

namespace {

Result<> add_modules_of(EndpointClient& client, const std::string& name, std::vector<ModuleSection>& all) {
  const auto answer = client.ask({{"do", "modules"}}, std::chrono::seconds(10));
  if (!answer) return fail(answer.error());
  const auto theirs = sections_from(*answer, name);
  if (!theirs) return fail(theirs.error());
  all.insert(all.end(), theirs->begin(), theirs->end());
  return {};
}

}  // namespace

Result<nlohmann::json> modules_of_all(const std::string& own, std::span<EndpointClient> guests,
                                      std::span<EndpointClient> drivers) {
  std::vector<ModuleSection> all = module_sections(own);
  Result<> added;
  for (std::size_t i = 0; i < guests.size() && added; ++i)
    added = add_modules_of(guests[i], lab::guest_name(static_cast<int>(i) + 1), all);
  for (std::size_t i = 0; i < drivers.size() && added; ++i)
    added = add_modules_of(drivers[i], lab::driver_name(static_cast<int>(i) + 1), all);
  if (!added) return fail(added.error());
  return to_json(all);
}

Result<std::string> wait_for_interface(Links& links, const std::string& mac) {
  Result<std::string> device;
  for (int attempt = 0; attempt < 1000; ++attempt) {
    device = links.find_by_mac(mac);
    if (device) break;
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  return device;
}

namespace {

// A partner that vanished without a word is noticed within `limit`, and two packets at most come into a
// quiet half of it.
Result<> notice_silence(int connection, std::chrono::seconds limit) {
  const int on = 1, quiet = static_cast<int>(limit.count() / 2), probes = 3,
            between = std::max(1, quiet / probes);
  if (setsockopt(connection, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on) != 0 ||
      setsockopt(connection, IPPROTO_TCP, TCP_KEEPIDLE, &quiet, sizeof quiet) != 0 ||
      setsockopt(connection, IPPROTO_TCP, TCP_KEEPINTVL, &between, sizeof between) != 0 ||
      setsockopt(connection, IPPROTO_TCP, TCP_KEEPCNT, &probes, sizeof probes) != 0)
    return fail(system_error("cannot watch the controller's connection", errno));
  return {};
}

}  // namespace

Result<> serve_controller(const std::string& ipv4, Endpoint::MoreOrders orders, std::chrono::seconds alone) {
  const auto listener = tcp_listen({ipv4, lab::kControlPort});
  if (!listener) return fail(listener.error());
  const bool for_ever = alone.count() == 0;
  const auto watchdog = Watchdog::start(for_ever ? std::chrono::hours(1) : alone);
  if (!watchdog) return fail(watchdog.error());
  auto connection = tcp_accept(listener->get(), *watchdog);
  if (!connection) return fail(connection.error());
  if (!for_ever)
    if (Result<> watched = notice_silence(connection->get(), alone); !watched) return watched;
  ControlChannel control(std::move(*connection), "the driver domain");
  return fail(Endpoint(std::move(control), std::move(orders)).serve());
}

}  // namespace vtax::agent
