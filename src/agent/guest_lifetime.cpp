#include "agent/guest_lifetime.h"

#include <fcntl.h>
#include <linux/watchdog.h>
#include <sys/ioctl.h>

#include <cerrno>

namespace vtax::agent {

Result<> limit_lifetime(std::chrono::seconds limit) {
  // Never closed, and never written to again.
  const int watchdog = open("/dev/watchdog", O_WRONLY | O_CLOEXEC);
  int seconds = static_cast<int>(limit.count());
  if (watchdog < 0 || ioctl(watchdog, WDIOC_SETTIMEOUT, &seconds) != 0)
    return fail(system_error("cannot set the guest's watchdog", errno));
  return {};
}

}  // namespace vtax::agent
