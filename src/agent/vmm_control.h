#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "core/descriptor.h"
#include "core/result.h"

namespace vtax::agent {

// What a running QEMU is told over its control socket (QMP), be it KVM's or Xen's device model. What it says
// is bounded and parsed.

// As what the guest sees a disk.
enum class DiskModel { virtio, nvme };

// Gives the guest the block device `device` as a disk. virtio: past the host's page cache, by native
// asynchronous I/O. nvme, of Xen's device model: through Domain-0's page cache and by QEMU's threads, since
// the kernel does no direct I/O to a guest's memory that is mapped there, and Debian built it without native
// I/O.
[[nodiscard]] Result<> plug_disk(const std::string& control_socket, const std::string& device,
                                 DiskModel model);

// Gives the guest a virtio card behind a tap of this kernel, by the tap's descriptors, one for each queue.
// `vhost`: its packets pass through the kernel's vhost-net, or else through QEMU.
[[nodiscard]] Result<> plug_card(const std::string& control_socket, const std::vector<Descriptor>& tap,
                                 const std::string& mac, bool vhost);

// Gives the guest a PCI device of this kernel ("0000:00:10.0") that VFIO has.
[[nodiscard]] Result<> plug_device(const std::string& control_socket, const std::string& device);

// Gives the guest a balloon (virtio), which it blows up as soon as it has a driver for it, until it keeps
// `mib`.
[[nodiscard]] Result<> plug_balloon(const std::string& control_socket, int mib);

// Waits until the guest's balloon leaves it no more than `mib`.
[[nodiscard]] Result<> wait_for_balloon(const std::string& control_socket, int mib,
                                        std::chrono::seconds limit);

}  // namespace vtax::agent
