#pragma once

#include <cstdint>

// The contract with the image builder: what is where in the lab's images (docs/design/lab-image.md).
namespace vtax::agent::lab {

inline constexpr char role_file[] = "/lab/role";  // "native", "dom0", "kvm" or "guest"
inline constexpr char modules_file[] =
    "/lab/modules";                                   // paths of kernel modules, one a line, in loading order
inline constexpr char plan_name[] = "opt/vtax/plan";  // in fw_cfg

inline constexpr char guest_type_file[] = "/lab/guest/type";        // "pv" or "pvh"
inline constexpr char guest_backend_file[] = "/lab/guest/backend";  // "vhost" or "qemu"
inline constexpr char guest_kernel[] = "/lab/guest/vmlinux", guest_initrd[] = "/lab/guest/initrd";

inline constexpr char guest_name[] = "guest1", guest_cpus[] = "2", guest_device[] = "eth0";
inline constexpr unsigned guest_memory_mib = 192;
inline constexpr std::uint16_t control_port = 5200;  // of the guest's agent

// The Ethernet addresses of the two cards tell them apart.
inline constexpr char system_card_mac[] = "52:54:00:00:00:0a";
inline constexpr char peer_card_mac[] = "52:54:00:00:00:0b";

// CPUs (docs/design/architecture.md, "Placement").
inline constexpr int driver_cpu = 0, card_peer_cpu = 1, inside_system_cpu = 2;

}  // namespace vtax::agent::lab
