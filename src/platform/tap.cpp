#include "platform/tap.h"

#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <sys/ioctl.h>

#include <cerrno>
#include <cstring>

#include "core/descriptor.h"

namespace vtax {

Result<> make_tap(const std::string& device) {
  const auto failed = [&](int why) {
    Error error = system_error("cannot make the tap " + device, why);
    if (why == EACCES) error.next = "allow it as root: chmod 666 /dev/net/tun";
    error.code = ExitCode::unavailable;
    return fail(std::move(error));
  };
  const Descriptor tun(open("/dev/net/tun", O_RDWR | O_CLOEXEC));
  if (!tun.valid()) return failed(errno);
  ifreq request{};
  std::strncpy(request.ifr_name, device.c_str(), sizeof request.ifr_name - 1);
  request.ifr_flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR;
  if (ioctl(tun.get(), TUNSETIFF, &request) != 0) return failed(errno);
  if (ioctl(tun.get(), TUNSETPERSIST, 1) != 0) return failed(errno);
  return {};
}

}  // namespace vtax
