#pragma once

#include <cstdint>
#include <string>

// The contract with the image builder: what is where in the lab's images (docs/design/lab-image.md).
namespace vtax::agent::lab {

inline constexpr char kRoleFile[] = "/lab/role";  // "native", "dom0", "kvm" or "guest"
inline constexpr char kModulesFile[] =
    "/lab/modules";  // paths of kernel modules, one a line, in loading order
inline constexpr char kDiskModulesFile[] = "/lab/disk-modules";  // likewise, for trials that have a disk
// Likewise, but loaded only where a trial translates addresses: the connection tracker has timers.
inline constexpr char kNatModulesFile[] = "/lab/nat-modules";
// Likewise, of a Domain-0 that gives its cards away, and of a driver domain.
inline constexpr char kGiverModulesFile[] = "/lab/giver-modules",
                      kDriverModulesFile[] = "/lab/driver-modules";
inline constexpr char kBalloonModulesFile[] = "/lab/balloon-modules";  // of a guest whose balloon is used
// Likewise, of a driver domain whose guests have functions of its card, and of such a guest.
inline constexpr char kFunctionModulesFile[] = "/lab/function-modules";
// Likewise, of KVM's host where guests have macvtaps.
inline constexpr char kMacvtapModulesFile[] = "/lab/macvtap-modules";
inline constexpr char kPlanName[] = "opt/vtax/plan";  // in fw_cfg

inline constexpr char kGuestTypeFile[] = "/lab/guest/type";        // "pv", "pvh", "hvm" or "hvm-pv"
inline constexpr char kGuestBackendFile[] = "/lab/guest/backend";  // "vhost" or "qemu"
inline constexpr char kGuestKernel[] = "/lab/guest/kernel", kGuestInitrd[] = "/lab/guest/initrd";

inline constexpr char kGuestDevice[] = "eth0";
// A guest's disk, as it calls it.
inline constexpr char kXenDisk[] = "xvda", kKvmDisk[] = "vda", kEmulatedDisk[] = "nvme0n1";
inline constexpr int kMostGuests = 7;  // the probe tells eight domains apart (workload/measure/marker.h)

// Guest 1, 2, ...: its domain, and its network backend in Domain-0.
inline std::string guest_name(int guest) {
  return "guest" + std::to_string(guest);
}
inline std::string vif_of(int xen_domain) {
  return "vif" + std::to_string(xen_domain) + ".0";
}
inline std::string emulated_vif_of(int xen_domain) {  // of a card that the device model emulates: a tap
  return vif_of(xen_domain) + "-emu";
}
inline std::string guest_tap(int guest) {  // the same in KVM's host
  return "tap" + std::to_string(guest);
}
inline std::string guest_macvtap(int guest) {  // likewise, of its second device
  return "macvtap" + std::to_string(guest);
}
// The backends' where the driver domain has several CPUs, its third and fourth behind it: behind the first
// one's and the peer's.
inline constexpr int kSecondDriverCpu = 2;
// Driver domains 1, 2, ... are created before the guests, and so have Xen's numbers 1, 2, ...
inline constexpr int kMostDriverDomains = 2, kDriverMemoryMib = 192;
inline constexpr char kDriverBridge[] = "xenbr0";  // in each of them
inline std::string driver_name(int driver) {
  return "driver" + std::to_string(driver);
}
inline int xen_domain_of(int guest, int driver_domains) {
  return driver_domains + guest;
}
// For the probe: behind the guests.
inline int number_of_driver(int driver, int guests) {
  return guests + driver;
}
// Who has a guest's network backend: in turn, as with wires (Setup::wire_of).
inline int driver_of(int guest, int driver_domains) {
  return (guest - 1) % driver_domains + 1;
}
// With a second CPU that is the first one's, and another one shares Domain-0's.
inline int cpu_of_driver(int driver, int driver_cpus) {
  return driver_cpus > 1 && driver == 1 ? kSecondDriverCpu : 0;
}

// On the kernel's command line of a guest or a driver domain: which one it is.
inline constexpr char kGuestWord[] = "vtax.guest=", kDriverWord[] = "vtax.driver=";

// What the user adds to a command line (MachineShape::guest_args).
inline std::string behind(const std::string& arguments) {
  return arguments.empty() ? "" : " " + arguments;
}

// Likewise, of a guest that a host has made for a trial (seconds): how long it waits for a controller, and
// how long it lives at all. Without them, in the lab, for ever.
inline constexpr char kAloneWord[] = "vtax.alone=", kLifetimeWord[] = "vtax.lifetime=";
inline constexpr int kMostLifetimeSeconds = 7 * 86'400;

inline constexpr std::uint16_t kControlPort = 5200;  // of the guest's agent, and of the peer's machine

// Of joined machines: the controller's network, behind the card that the work leaves alone.
inline constexpr char kControllerIpv4[] = "10.79.0.1", kPeersMachineIpv4[] = "10.79.0.2";

// The Ethernet addresses of the two cards tell them apart.
inline constexpr char kSystemCardMac[] = "52:54:00:00:00:0a";
inline constexpr char kPeerCardMac[] = "52:54:00:00:00:0b";
// Of the second wire, in machines that have it.
inline constexpr char kSecondSystemCardMac[] = "52:54:00:00:00:0c";
inline constexpr char kSecondPeerCardMac[] = "52:54:00:00:00:0d";

// CPUs (docs/design/architecture.md, "Placement").
inline constexpr int kDriverCpu = 0, kCardPeerCpu = 1, kInsideSystemCpu = 2;

}  // namespace vtax::agent::lab
