#include "platform/card_rings.h"

#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>

#include "core/descriptor.h"

namespace vtax {

Result<> deepen_rings(const std::string& device) {
  const std::string what = "cannot deepen the rings of " + device;
  const Descriptor fd(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (!fd.valid()) return fail(system_error(what, errno));
  ethtool_ringparam rings{};
  rings.cmd = ETHTOOL_GRINGPARAM;
  ifreq request{};
  std::strncpy(request.ifr_name, device.c_str(), sizeof request.ifr_name - 1);
  request.ifr_data = reinterpret_cast<char*>(&rings);  // the kernel's interface
  if (ioctl(fd.get(), SIOCETHTOOL, &request) != 0)
    return errno == EOPNOTSUPP ? Result<>() : fail(system_error(what, errno));
  rings.cmd = ETHTOOL_SRINGPARAM;
  rings.rx_pending = rings.rx_max_pending;
  rings.tx_pending = rings.tx_max_pending;
  if (ioctl(fd.get(), SIOCETHTOOL, &request) != 0) return fail(system_error(what, errno));
  return {};
}

}  // namespace vtax
