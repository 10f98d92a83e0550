#include "agent/vmm.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <sys/ioctl.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "agent/lab_layout.h"
#include "agent/program.h"
#include "core/descriptor.h"
#include "core/files.h"

namespace vtax::agent {
namespace {

std::string console_of(const std::string& guest) {
  return fmt::format("/run/{}.console", guest);
}

}  // namespace

Result<> set_tap(const Descriptor& descriptor, const std::string& tap, int queues) {
  ifreq request{};
  std::strncpy(request.ifr_name, tap.c_str(), sizeof request.ifr_name - 1);
  request.ifr_flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR;
  if (queues > 1) request.ifr_flags = static_cast<short>(request.ifr_flags | IFF_MULTI_QUEUE);
  if (ioctl(descriptor.get(), TUNSETIFF, &request) == 0) return {};
  return fail(system_error("cannot set the tap " + tap, errno));
}

Result<> make_tap(const std::string& tap, int queues) {
  const std::string what = "cannot make the tap " + tap;
  const Descriptor device(open("/dev/net/tun", O_RDWR | O_CLOEXEC));
  if (!device.valid()) return fail(system_error(what, errno));
  if (Result<> set = set_tap(device, tap, queues); !set) return set;
  if (ioctl(device.get(), TUNSETPERSIST, 1) != 0) return fail(system_error(what, errno));
  return {};
}

std::string vmm_control(const std::string& guest) {
  return fmt::format("/run/{}.qmp", guest);
}

Result<pid_t> start_vmm(const NewKvmGuest& guest) {
  const std::string name = lab::guest_name(guest.number);
  const bool many = guest.cpus > 1;
  return start_program(
      {"/usr/bin/qemu-system-x86_64", "-L", "/usr/share/vmm", "-nodefaults", "-no-user-config", "-display",
       "none", "-no-reboot", "-name", name + ",debug-threads=on", "-accel", "kvm", "-cpu", "host", "-M",
       "pc,hpet=off,usb=off", "-smp", std::to_string(guest.cpus), "-m", std::to_string(guest.memory_mib),
       "-kernel", lab::kGuestKernel, "-initrd", lab::kGuestInitrd, "-append",
       fmt::format("console=ttyS0 quiet nokaslr panic=-1 {}{}{}", lab::kGuestWord, guest.number,
                   lab::behind(guest.arguments)),
       "-serial", "file:" + console_of(name), "-qmp",
       fmt::format("unix:{},server=on,wait=off", vmm_control(name)), "-netdev",
       fmt::format("tap,id=net,ifname={},script=no,downscript=no,vhost={}{}", lab::guest_tap(guest.number),
                   guest.vhost ? "on" : "off", many ? fmt::format(",queues={}", guest.cpus) : ""),
       "-device",
       // An interrupt a queue each way, one for control and one for the configuration.
       fmt::format("virtio-net-pci,netdev=net,mac={},romfile={}", guest.mac,
                   many ? fmt::format(",mq=on,vectors={}", 2 * guest.cpus + 2) : "")});
}

std::string vmm_console_tail(const std::string& guest, std::size_t most_bytes) {
  return last_bytes(console_of(guest), most_bytes);
}

}  // namespace vtax::agent
