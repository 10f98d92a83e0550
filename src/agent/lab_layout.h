#pragma once

#include <cstdint>
#include <string>

// The contract with the image builder: what is where in the lab's images (docs/design/lab-image.md).
namespace vtax::agent::lab {

inline constexpr char role_file[] = "/lab/role";  // "native", "dom0", "kvm" or "guest"
inline constexpr char modules_file[] =
    "/lab/modules";  // paths of kernel modules, one a line, in loading order
inline constexpr char disk_modules_file[] = "/lab/disk-modules";  // likewise, for trials that have a disk
// Likewise, but loaded only where a trial translates addresses: the connection tracker has timers.
inline constexpr char nat_modules_file[] = "/lab/nat-modules";
// Likewise, of a Domain-0 that gives its cards away, and of a driver domain.
inline constexpr char giver_modules_file[] = "/lab/giver-modules",
                      driver_modules_file[] = "/lab/driver-modules";
inline constexpr char balloon_modules_file[] = "/lab/balloon-modules";  // of a guest whose balloon is used
inline constexpr char plan_name[] = "opt/vtax/plan";                    // in fw_cfg

inline constexpr char guest_type_file[] = "/lab/guest/type";        // "pv", "pvh", "hvm" or "hvm-pv"
inline constexpr char guest_backend_file[] = "/lab/guest/backend";  // "vhost" or "qemu"
inline constexpr char guest_kernel[] = "/lab/guest/kernel", guest_initrd[] = "/lab/guest/initrd";

inline constexpr char guest_device[] = "eth0";
// A guest's disk, as it calls it.
inline constexpr char xen_disk[] = "xvda", kvm_disk[] = "vda", emulated_disk[] = "nvme0n1";
inline constexpr int most_guests = 7;  // the probe tells eight domains apart (workload/marker.h)

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
// The backends' with two CPUs of the driver domain: behind the first one's and the peer's.
inline constexpr int second_driver_cpu = 2;
// Driver domains 1, 2, ... are created before the guests, and so have Xen's numbers 1, 2, ...
inline constexpr int most_driver_domains = 2, driver_memory_mib = 192;
inline constexpr char driver_bridge[] = "xenbr0";  // in each of them
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
  return driver_cpus > 1 && driver == 1 ? second_driver_cpu : 0;
}

// On the kernel's command line of a guest or a driver domain: which one it is.
inline constexpr char guest_word[] = "vtax.guest=", driver_word[] = "vtax.driver=";

// Likewise, of a guest that a host has made for a trial (seconds): how long it waits for a controller, and
// how long it lives at all. Without them, in the lab, for ever.
inline constexpr char alone_word[] = "vtax.alone=", lifetime_word[] = "vtax.lifetime=";
inline constexpr int most_lifetime_seconds = 86'400;

inline constexpr std::uint16_t control_port = 5200;  // of the guest's agent

// The Ethernet addresses of the two cards tell them apart.
inline constexpr char system_card_mac[] = "52:54:00:00:00:0a";
inline constexpr char peer_card_mac[] = "52:54:00:00:00:0b";
// Of the second wire, in machines that have it.
inline constexpr char second_system_card_mac[] = "52:54:00:00:00:0c";
inline constexpr char second_peer_card_mac[] = "52:54:00:00:00:0d";

// CPUs (docs/design/architecture.md, "Placement").
inline constexpr int driver_cpu = 0, card_peer_cpu = 1, inside_system_cpu = 2;

}  // namespace vtax::agent::lab
