#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "core/result.h"

// Where the work of a guest's driver domain is done.
namespace vtax {

// The kernel threads and interrupts of a Xen guest's network backend go to CPUs of Domain-0, those of its
// queues in turn; those of xenbus to the first.
[[nodiscard]] Result<> place_vif(const std::string& vif, const std::vector<int>& cpus);

// The same of blkback, for the disk of a guest ("1.xvda": its domain's number, and what it calls it).
[[nodiscard]] Result<> place_vbd(const std::string& vbd, int cpu);

// All threads of the device models (QEMU) of Xen's fully virtualised guests go to one CPU of Domain-0. Error:
// there are none.
[[nodiscard]] Result<> place_device_models(int cpu);

// The same of one of them, by its guest's domain number. Error: it has none.
[[nodiscard]] Result<> place_device_model(int domain, int cpu);

// Whether the process is the device model of that domain, by its command line.
[[nodiscard]] bool serves_domain(pid_t process, int domain);

// All threads of a process go to one CPU.
[[nodiscard]] Result<> pin_whole(pid_t process, int cpu);

// What works for a guest of KVM besides its virtual CPU goes to CPUs of the host: the other threads of QEMU
// process `vmm` to the first, vhost-net's in turn, of each card's `queues` from the first on.
[[nodiscard]] Result<> place_vmm_backend(pid_t vmm, const std::vector<int>& cpus, int queues);

// The thread of QEMU process `vmm` for the guest's first virtual CPU goes to the first of `guest_cpus`, and
// so on; its other threads and the kernel's that work for it (vhost-net, KVM's own) to `driver_cpu`. Error:
// QEMU has not a thread for each virtual CPU.
[[nodiscard]] Result<> place_vmm(pid_t vmm, const std::vector<int>& guest_cpus, int driver_cpu);

}  // namespace vtax
