#include "agent/disks.h"

#include <fmt/format.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <thread>

#include "agent/kernel_modules.h"
#include "agent/lab_layout.h"
#include "core/kernel_file.h"
#include "workload/orders/fixed_work.h"

namespace vtax::agent {
namespace {

constexpr char kConfigRoot[] = "/sys/kernel/config";
constexpr std::chrono::seconds kDeviceLimit{20};

bool is_block_device(const std::string& path) {
  struct stat status {};
  return stat(path.c_str(), &status) == 0 && S_ISBLK(status.st_mode);
}

Result<> wait_for_device(const std::string& path) {
  const auto deadline = std::chrono::steady_clock::now() + kDeviceLimit;
  while (!is_block_device(path)) {
    if (std::chrono::steady_clock::now() > deadline)
      return fail(Error{"wait for the disk " + path, "it did not come", "", ExitCode::trial_failed});
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  return {};
}

// A queue for each CPU, so that no request is served on another one. 100 us: a solid-state disk's time.
Result<std::string> make_null_block(int number) {
  const std::string folder = fmt::format("{}/nullb/nullb{}", kConfigRoot, number);
  if (mkdir(folder.c_str(), 0755) != 0) return fail(system_error("cannot make the disk " + folder, errno));
  const std::pair<const char*, std::string> settings[] = {
      {"size", std::to_string(FixedWork::kDiskStoreBytes >> 20)},
      {"blocksize", "512"},
      {"memory_backed", "1"},
      {"queue_mode", "2"},
      {"irqmode", "2"},
      {"completion_nsec", "100000"},
      {"submit_queues", std::to_string(sysconf(_SC_NPROCESSORS_ONLN))},
      {"power", "1"}};
  for (const auto& [name, value] : settings)
    if (Result<> set = write_kernel_file(folder + "/" + name, value); !set) return fail(set.error());
  const auto index = read_kernel_file(folder + "/index");
  if (!index) return fail(index.error());
  const std::string device = "/dev/nullb" + *index;
  if (Result<> there = wait_for_device(device); !there) return fail(there.error());
  return device;
}

}  // namespace

Result<std::vector<std::string>> make_disks(int count) {
  if (Result<> loaded = load_modules(lab::kDiskModulesFile); !loaded) return fail(loaded.error());
  if (mount("configfs", kConfigRoot, "configfs", MS_NOSUID, nullptr) != 0 && errno != EBUSY)
    return fail(system_error("cannot mount configfs", errno));
  std::vector<std::string> disks;
  for (int number = 0; number < count; ++number) {
    auto disk = make_null_block(number);
    if (!disk) return fail(disk.error());
    disks.push_back(std::move(*disk));
  }
  return disks;
}

Result<nlohmann::json> obey_disk(const JsonFields& order) {
  const auto device = order.text("device", 16);
  if (!device) return fail(device.error());
  if (device->find('/') != std::string::npos) return fail(order.bad("'device' is no name"));
  Result<> done = load_modules(lab::kDiskModulesFile);
  if (done) done = wait_for_device("/dev/" + *device);
  if (!done) return fail(done.error());
  return nlohmann::json{{"state", "done"}};
}

Result<std::string> take_disk(EndpointClient& guest, const std::string& device) {
  const auto answer = guest.ask({{"do", "disk"}, {"device", device}}, 2 * kDeviceLimit);
  if (!answer) return fail(answer.error());
  return "/dev/" + device;
}

}  // namespace vtax::agent
