#include "agent/block_script.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <cerrno>
#include <cstdlib>
#include <string_view>

#include "platform/xenstore.h"

namespace vtax::agent {
namespace {

Result<> name_device() {
  const char* path = std::getenv("XENBUS_PATH");
  if (path == nullptr)
    return fail(Error{"attach a disk", "XENBUS_PATH is not in the environment", "", ExitCode::usage});
  Result<Xenstore> store = Xenstore::open();
  if (!store) return fail(store.error());
  const auto device = store->read(fmt::format("{}/params", path));
  if (!device) return fail(device.error());
  struct stat status {};
  if (stat(device->c_str(), &status) != 0) return fail(system_error("cannot find " + *device, errno));
  if (!S_ISBLK(status.st_mode))
    return fail(Error{"attach " + *device, "it is no block device", "", ExitCode::usage});
  Result<> done = store->write(fmt::format("{}/physical-device", path),
                               fmt::format("{:x}:{:x}", major(status.st_rdev), minor(status.st_rdev)));
  if (done) done = store->write(fmt::format("{}/physical-device-path", path), *device);
  if (done) done = store->write(fmt::format("{}/hotplug-status", path), "connected");
  return done;
}

}  // namespace

int run_as_block_script(int argument_count, char** arguments) {
  if (argument_count < 2 || std::string_view(arguments[1]) != "add") return EXIT_SUCCESS;
  if (Result<> done = name_device(); !done) {
    fmt::print(stderr, "{}: {}\n", kBlockScript, done.error().text());
    return EXIT_FAILURE;
  }
  return EXIT_SUCCESS;
}

}  // namespace vtax::agent
