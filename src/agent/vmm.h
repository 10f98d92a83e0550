#pragma once

#include <sys/types.h>

#include <string>

#include "core/descriptor.h"
#include "core/result.h"

namespace vtax::agent {

// A guest that QEMU runs with KVM in the lab.
struct NewKvmGuest {
  int number = 1;  // 1, 2, ...; its name and its tap are lab_layout's, and the tap must be there
  int memory_mib = 0;
  int cpus = 1;                // and as many queues of its card
  std::string mac;             // of its virtio-net card
  std::string arguments = {};  // of the user's, for its kernel
  bool vhost = true;           // packets pass through the kernel's vhost-net, or else through QEMU
};

// What a tap's descriptor, of so many queues, is for: as QEMU will ask for it, with its offloads' headers.
[[nodiscard]] Result<> set_tap(const Descriptor& descriptor, const std::string& tap, int queues);

// A tap with so many queues that stays when nobody holds it. Error: no tun module, no permission.
[[nodiscard]] Result<> make_tap(const std::string& tap, int queues);

// Starts QEMU, which runs on while the guest boots: its process. All its threads are where the caller is,
// until place_vmm() (platform/backend_placement.h) puts them elsewhere.
[[nodiscard]] Result<pid_t> start_vmm(const NewKvmGuest& guest);

// The socket at which the guest's QEMU takes orders: vmm_control.h.
[[nodiscard]] std::string vmm_control(const std::string& guest);

// The end of the guest's console.
[[nodiscard]] std::string vmm_console_tail(const std::string& guest, std::size_t most_bytes = 2000);

}  // namespace vtax::agent
