#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

// How a workload is virtualised: a row a platform says its name and what it has. Study files, `vtax list`,
// the lab's images, the agent and the host's readiness read this one table.
namespace vtax {

enum class PlatformId {
  native,
  container,
  xen_pv,
  xen_pvh,
  xen_hvm,
  xen_hvm_pv,
  kvm,
  kvm_qemu,
  uml,
  qemu,
};

// Who runs its guests; a container and native have none.
enum class GuestRunner { none, xen, kvm, program };

struct PlatformFacts {
  PlatformId id = PlatformId::native;
  std::string_view name, summary;
  GuestRunner runner = GuestRunner::none;
  bool in_lab = true;                           // otherwise on machine `host` alone
  PlatformId lab_machine = PlatformId::native;  // in which of the lab's machines it is made; its own, but for
                                                // a container
  bool device_model = false;                    // QEMU in Domain-0 makes its guest's machine
  bool driver_domains = false;                  // domains besides Domain-0 may have the cards
  bool virtualises = false;                     // in the lab: its CPU lets a hypervisor run guests
  bool emulated_card = false;                   // its guest's card is an e1000, which has one queue
  bool takes_functions = false;                 // its guests may be given PCI devices in the lab
};

inline constexpr std::array kPlatformTable = {
    PlatformFacts{.id = PlatformId::native,
                  .name = "native",
                  .summary = "the kernel on the machine itself: what everything else is compared with"},
    PlatformFacts{.id = PlatformId::container,
                  .name = "container",
                  .summary = "network namespaces joined by veth and a bridge, one kernel"},
    PlatformFacts{.id = PlatformId::xen_pv,
                  .name = "xen-pv",
                  .summary = "a paravirtual Xen guest: netfront, netback, and a bridge in Domain-0",
                  .runner = GuestRunner::xen,
                  .lab_machine = PlatformId::xen_pv,
                  .driver_domains = true,
                  .takes_functions = true},
    PlatformFacts{.id = PlatformId::xen_pvh,
                  .name = "xen-pvh",
                  .summary = "a Xen guest on the CPU's virtualisation with nested paging; devices as xen-pv",
                  .runner = GuestRunner::xen,
                  .lab_machine = PlatformId::xen_pvh,
                  .driver_domains = true,
                  .virtualises = true},
    PlatformFacts{.id = PlatformId::xen_hvm,
                  .name = "xen-hvm",
                  .summary = "a fully virtualised Xen guest: QEMU in Domain-0 emulates its machine and its "
                             "e1000 card",
                  .runner = GuestRunner::xen,
                  .lab_machine = PlatformId::xen_hvm,
                  .device_model = true,
                  .virtualises = true,
                  .emulated_card = true},
    PlatformFacts{.id = PlatformId::xen_hvm_pv,
                  .name = "xen-hvm-pv",
                  .summary = "the same, but the guest has paravirtual drivers: netfront and netback",
                  .runner = GuestRunner::xen,
                  .lab_machine = PlatformId::xen_hvm_pv,
                  .device_model = true,
                  .virtualises = true},
    PlatformFacts{.id = PlatformId::kvm,
                  .name = "kvm",
                  .summary =
                      "a guest of Linux with KVM and QEMU: virtio-net, vhost-net, tap, and a bridge in "
                      "the host",
                  .runner = GuestRunner::kvm,
                  .lab_machine = PlatformId::kvm,
                  .virtualises = true,
                  .takes_functions = true},
    PlatformFacts{.id = PlatformId::kvm_qemu,
                  .name = "kvm-qemu",
                  .summary = "the same, but QEMU moves the packets between tap and guest, not vhost-net",
                  .runner = GuestRunner::kvm,
                  .lab_machine = PlatformId::kvm_qemu,
                  .virtualises = true},
    PlatformFacts{.id = PlatformId::uml,
                  .name = "uml",
                  .summary = "User Mode Linux: a kernel that is a program; its card is a tap (machine host "
                             "alone)",
                  .runner = GuestRunner::program,
                  .in_lab = false},
    PlatformFacts{.id = PlatformId::qemu,
                  .name = "qemu",
                  .summary = "a guest that QEMU emulates (TCG): virtio-net on a tap (machine host alone)",
                  .runner = GuestRunner::program,
                  .in_lab = false},
};

[[nodiscard]] constexpr const PlatformFacts& facts_of(PlatformId id) {
  return kPlatformTable[static_cast<std::size_t>(id)];
}
static_assert(std::all_of(kPlatformTable.begin(), kPlatformTable.end(),
                          [](const PlatformFacts& row) { return facts_of(row.id).name == row.name; }),
              "the rows stand in the order of PlatformId");

[[nodiscard]] constexpr std::string_view name_of(PlatformId id) {
  return facts_of(id).name;
}
[[nodiscard]] constexpr std::optional<PlatformId> platform_named(std::string_view name) {
  for (const PlatformFacts& row : kPlatformTable)
    if (row.name == name) return row.id;
  return std::nullopt;
}

// The lab's machine in which a platform is made: a container's is the native one.
[[nodiscard]] constexpr PlatformId lab_machine_of(PlatformId id) {
  return facts_of(id).lab_machine;
}

// The same by name; the native one where there is no such platform.
[[nodiscard]] constexpr PlatformId lab_machine_of(std::string_view name) {
  return lab_machine_of(platform_named(name).value_or(PlatformId::native));
}

// All of the lab's machines.
[[nodiscard]] inline std::vector<PlatformId> lab_machines() {
  std::vector<PlatformId> machines;
  for (const PlatformFacts& row : kPlatformTable)
    if (row.in_lab && row.lab_machine == row.id) machines.push_back(row.id);
  return machines;
}

[[nodiscard]] constexpr bool has_xen(PlatformId id) {
  return facts_of(id).runner == GuestRunner::xen;
}
[[nodiscard]] constexpr bool has_kvm(PlatformId id) {
  return facts_of(id).runner == GuestRunner::kvm;
}
// In the lab; on the host uml and qemu have one, too.
[[nodiscard]] constexpr bool has_guests(PlatformId id) {
  return has_xen(id) || has_kvm(id);
}
[[nodiscard]] constexpr bool has_device_model(PlatformId id) {
  return facts_of(id).device_model;
}
[[nodiscard]] constexpr bool has_driver_domains(PlatformId id) {
  return facts_of(id).driver_domains;
}
[[nodiscard]] constexpr bool virtualises(PlatformId id) {
  return facts_of(id).virtualises;
}

}  // namespace vtax
