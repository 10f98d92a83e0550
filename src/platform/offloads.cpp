#include "platform/offloads.h"

#include <fmt/format.h>
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>

#include "core/descriptor.h"

namespace vtax {
namespace {

struct Offload {
  const char* name;
  __u32 get, set;
};

constexpr Offload kOffloads[] = {{"TSO", ETHTOOL_GTSO, ETHTOOL_STSO},
                                 {"GSO", ETHTOOL_GGSO, ETHTOOL_SGSO},
                                 {"GRO", ETHTOOL_GGRO, ETHTOOL_SGRO}};

int ethtool(int fd, const std::string& device, ethtool_value& value) {
  ifreq request{};
  std::strncpy(request.ifr_name, device.c_str(), sizeof request.ifr_name - 1);
  request.ifr_data = reinterpret_cast<char*>(&value);  // the kernel's interface
  return ioctl(fd, SIOCETHTOOL, &request);
}

}  // namespace

Result<> set_segmentation_offloads(const std::string& device, bool on) {
  const Descriptor fd(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (!fd.valid()) return fail(system_error("cannot set the offloads of " + device, errno));
  for (const Offload& offload : kOffloads) {
    ethtool_value value{offload.set, on ? 1U : 0U};
    const bool set = ethtool(fd.get(), device, value) == 0;
    const int why = errno;
    if (on) continue;
    // A device that never has it may refuse to switch it off.
    value = {offload.get, 0};
    if (ethtool(fd.get(), device, value) != 0 || value.data != 0) {
      Error error = system_error(fmt::format("cannot switch {} of {} off", offload.name, device), why);
      if (set) error.why = "the device keeps it on";
      error.code = ExitCode::unavailable;
      return fail(std::move(error));
    }
  }
  return {};
}

}  // namespace vtax
