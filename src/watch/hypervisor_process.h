#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "watch/reading.h"

namespace vtax::watch {

// What the arguments of a process say of the guest that it runs.
struct HypervisorProcess {
  GuestKind kind = GuestKind::qemu;
  std::string name;  // empty: it has none
  std::optional<std::uint64_t> memory_bytes;
  std::vector<std::string> network_devices;  // names of taps
  std::optional<int> xen_domain;             // a device model: its guest is that domain
};

// QEMU, Firecracker, Cloud Hypervisor, crosvm, kvmtool, User Mode Linux. Nothing for other programs.
[[nodiscard]] std::optional<HypervisorProcess> hypervisor_of(const std::vector<std::string>& arguments);

// The virtual CPU that a thread of such a process runs, by its name: "CPU 3/KVM", "CPU 0/TCG", "fc_vcpu 1",
// ...
[[nodiscard]] std::optional<int> virtual_cpu_of(std::string_view thread_name);

}  // namespace vtax::watch
