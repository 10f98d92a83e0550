#include "agent/macvtap.h"

#include <fcntl.h>
#include <fmt/format.h>

#include <cerrno>
#include <filesystem>

#include "agent/kernel_modules.h"
#include "agent/lab_layout.h"
#include "agent/second_device.h"
#include "agent/vmm.h"
#include "platform/links.h"
#include "platform/wiring.h"

namespace vtax::agent {

Result<> load_macvtap() {
  if (Result<> loaded = load_modules(lab::kMacvtapModulesFile); !loaded) return loaded;
  if (std::filesystem::exists("/sys/class/macvtap")) return {};
  return fail(Error{"give guests macvtaps", "the driver domain's kernel has no macvtap",
                    "build it with CONFIG_MACVLAN and CONFIG_MACVTAP, as modules", ExitCode::trial_failed});
}

Result<std::vector<Descriptor>> make_macvtap(int guest, const std::string& card, int queues) {
  const std::string name = lab::guest_macvtap(guest);
  Result<Links> links = Links::open();
  if (!links) return fail(links.error());
  Result<> done = links->add_macvtap(name, card, wiring::second_mac(guest));
  if (done) done = links->set_up(name);
  if (!done) return fail(done.error());
  const auto index = links->index_of(name);
  if (!index) return fail(index.error());
  const std::string path = fmt::format("/dev/tap{}", *index);  // which devtmpfs makes with the device
  std::vector<Descriptor> out;
  for (int queue = 0; queue < queues; ++queue) {
    Descriptor end(open(path.c_str(), O_RDWR | O_CLOEXEC));
    if (!end.valid()) return fail(system_error(fmt::format("cannot open {} of {}", path, name), errno));
    if (Result<> set = set_tap(end, name, queues); !set) return fail(set.error());
    out.push_back(std::move(end));
  }
  return out;
}

Result<std::string> take_macvtap(EndpointClient& client, int guest) {
  return take_second_device(client, "macvtap", guest);
}

Result<nlohmann::json> obey_macvtap(const JsonFields& order) {
  return obey_second_device(order, [](const std::string&) { return Result<>(); });
}

}  // namespace vtax::agent
