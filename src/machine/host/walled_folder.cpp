#include "machine/host/walled_folder.h"

#include <fmt/format.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "machine/host/sandbox.h"
#include "workload/orders/program_confinement.h"

namespace vtax::host {

Error cannot_mount(const std::filesystem::path& where) {
  const int why = errno;
  Error error = system_error("cannot mount the program's " + where.string(), why);
  error.next = "vtax doctor says what this computer needs for programs";
  error.code = ExitCode::unavailable;
  return error;
}

Result<WalledFolder> WalledFolder::make(const std::string& name, std::uint64_t bytes, std::uint64_t files) {
  const std::filesystem::path folder = std::filesystem::path(kScratchDirectory) / name;
  const std::string limits = fmt::format("mode=0755,size={},nr_inodes={}", bytes, files);
  if (mkdir(folder.c_str(), 0755) != 0 && errno != EEXIST)
    return fail(system_error("cannot make the program's root", errno));
  if (mount("tmpfs", folder.c_str(), "tmpfs", MS_NOSUID | MS_NODEV, limits.c_str()) != 0)
    return fail(cannot_mount("root"));
  auto inside = lab::RootedFolder::open(folder / "root", ProgramIds::of_this_process().first);
  if (!inside) return fail(inside.error());
  return WalledFolder(folder, std::move(*inside));
}

Result<> WalledFolder::add_devices(const std::vector<std::string>& names) {
  for (const std::string& name : names) {
    const std::string path = "dev/" + name;
    if (Result<> made = inside_.file(path, {}, 0666); !made) return made;
    if (mount(("/" + path).c_str(), (root() / path).c_str(), nullptr, MS_BIND, nullptr) != 0)
      return fail(cannot_mount(path));
  }
  return {};
}

Result<> WalledFolder::add_tun() {
  struct stat of_computer {};
  constexpr mode_t kForAll = 0666;
  if (stat("/dev/net/tun", &of_computer) != 0) return fail(system_error("cannot find /dev/net/tun", errno));
  if (geteuid() != 0 || (of_computer.st_mode & kForAll) == kForAll) return add_devices({"net/tun"});
  const std::string folder = "dev/net";
  const std::filesystem::path where = root() / folder;
  if (Result<> made = inside_.directory(folder); !made) return made;
  if (mount("tmpfs", where.c_str(), "tmpfs", MS_NOSUID | MS_NOEXEC, "mode=0755,size=4096") != 0)
    return fail(cannot_mount(folder));
  if (mknod((where / "tun").c_str(), S_IFCHR | kForAll, of_computer.st_rdev) != 0 ||
      chmod((where / "tun").c_str(), kForAll) != 0)
    return add_devices({"net/tun"});  // a user namespace has no devices of its own
  return {};
}

}  // namespace vtax::host
