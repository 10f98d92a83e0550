#include "agent/init.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdlib>

#include "agent/boot_word.h"
#include "agent/kernel_modules.h"
#include "agent/lab_layout.h"
#include "agent/lab_trial.h"
#include "agent/machine.h"
#include "core/kernel_file.h"
#include "platform/placement.h"
#include "platform/quiet.h"

namespace vtax::agent {
namespace {

Result<> mount_one(const char* type, const char* where) {
  if (mkdir(where, 0755) != 0 && errno != EEXIST)
    return fail(system_error(fmt::format("cannot make {}", where), errno));
  if (mount(type, where, type, MS_NOSUID, nullptr) != 0 && errno != EBUSY) {
    return fail(system_error(fmt::format("cannot mount {} on {}", type, where), errno));
  }
  return {};
}

// The kernel opens the console for PID 1 only if /dev/console was in the image.
void open_console() {
  const int console = open("/dev/console", O_RDWR);
  for (int fd = 0; console >= 0 && fd < 3; ++fd) dup2(console, fd);
  if (console > 2) close(console);
}

Result<std::string> prepare() {
  for (const auto& [type, where] : {std::pair{"proc", "/proc"},
                                    {"sysfs", "/sys"},
                                    {"devtmpfs", "/dev"},
                                    {"tmpfs", "/run"},
                                    {"tmpfs", "/tmp"}}) {
    if (Result<> mounted = mount_one(type, where); !mounted) return fail(mounted.error());
  }
  open_console();
  if (Result<> pinned = pin(0, lab::kDriverCpu); !pinned) return fail(pinned.error());
  if (Result<> quiet = quieten_namespace(); !quiet) return fail(quiet.error());
  if (Result<> loaded = load_modules(lab::kModulesFile); !loaded) return fail(loaded.error());
  return read_kernel_file(lab::kRoleFile);
}

Result<> run() {
  const Result<std::string> role = prepare();
  if (!role) return fail(role.error());
  if (*role == "native") return run_native_machine();
  if (*role == "dom0") return run_dom0_machine();
  if (*role == "kvm") return run_kvm_machine();
  if (*role == "guest") {
    const Result<int> driver = boot_number(lab::kDriverWord, lab::kMostDriverDomains, 0);
    if (!driver) return fail(driver.error());
    return *driver == 0 ? run_guest_machine() : run_driver_domain(*driver);
  }
  return fail(Error{fmt::format("read {}", lab::kRoleFile), fmt::format("role '{}' is not known", *role), "",
                    ExitCode::usage});
}

}  // namespace

int run_as_init() {
  setenv("PATH", "/usr/sbin:/usr/bin:/sbin:/bin", 1);
  if (Result<> done = run(); !done) {
    fmt::print(stderr, "vtax: {}\n", done.error().text());
    send_error(done.error());
  }
  reboot(RB_POWER_OFF);
  return EXIT_FAILURE;
}

}  // namespace vtax::agent
