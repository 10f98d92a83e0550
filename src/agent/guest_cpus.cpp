#include "agent/guest_cpus.h"

#include <sched.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

namespace vtax::agent {

Result<> use_every_cpu() {
  if (sysconf(_SC_NPROCESSORS_ONLN) == 1) return {};
  cpu_set_t every;
  std::memset(&every, 0xff, sizeof every);
  if (sched_setaffinity(0, sizeof every, &every) == 0) return {};
  return fail(system_error("cannot run on every CPU", errno));
}

Result<nlohmann::json> obey_cpus(const JsonFields& order) {
  namespace fs = std::filesystem;
  const auto device = order.text("device", 15);
  if (!device) return fail(device.error());
  int queues = 0;
  std::error_code error;
  const fs::path all = fs::path("/sys/class/net") / *device / "queues";
  for (fs::directory_iterator queue(all, error), end; !error && queue != end; queue.increment(error))
    if (queue->path().filename().string().starts_with("tx-")) ++queues;
  if (error) return fail(system_error("cannot list the card's queues in " + all.string(), error.value()));
  return nlohmann::json{{"state", "done"}, {"cpus", sysconf(_SC_NPROCESSORS_ONLN)}, {"queues", queues}};
}

Result<CpusAndQueues> cpus_and_queues_of(EndpointClient& guest, const std::string& device) {
  constexpr std::uint64_t kMost = 1024;
  const auto answer = guest.ask({{"do", "cpus"}, {"device", device}}, std::chrono::seconds(10));
  if (!answer) return fail(answer.error());
  const auto cpus = answer->number("cpus", 0, kMost), queues = answer->number("queues", 0, kMost);
  if (!cpus) return fail(cpus.error());
  if (!queues) return fail(queues.error());
  return CpusAndQueues{static_cast<int>(*cpus), static_cast<int>(*queues)};
}

}  // namespace vtax::agent
