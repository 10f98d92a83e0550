#include "agent/guest_connection.h"

#include <thread>

#include "agent/kernel_modules.h"
#include "agent/lab_layout.h"
#include "workload/tcp_socket.h"
#include "workload/watchdog.h"

namespace vtax::agent {

Result<EndpointClient> connect_to_guest(const std::string& ipv4, const std::string& name,
                                        std::chrono::seconds limit) {
  const auto watchdog = Watchdog::start(limit);
  if (!watchdog) return fail(watchdog.error());
  while (true) {
    auto connection = tcp_connect({ipv4, lab::control_port}, 0, {}, *watchdog);
    if (connection) return EndpointClient(ControlChannel(std::move(*connection), name));
    if (watchdog->expired()) return fail(watchdog->timeout("reach the guest's agent"));
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
}

Result<nlohmann::json> modules_of_all(const std::string& own, std::span<EndpointClient> guests) {
  std::vector<ModuleSection> all = module_sections(own);
  for (std::size_t i = 0; i < guests.size(); ++i) {
    const auto answer = guests[i].ask({{"do", "modules"}}, std::chrono::seconds(10));
    if (!answer) return fail(answer.error());
    const auto theirs = sections_from(*answer, lab::guest_name(static_cast<int>(i) + 1));
    if (!theirs) return fail(theirs.error());
    all.insert(all.end(), theirs->begin(), theirs->end());
  }
  return to_json(all);
}

}  // namespace vtax::agent
