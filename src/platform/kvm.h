#pragma once

#include <sys/types.h>

#include <memory>
#include <string>

#include "core/result.h"
#include "platform/platform.h"

namespace vtax {

// A running KVM guest whose agent answers, seen from its host.
struct KvmGuest {
  std::string name;    // "guest1"
  std::string tap;     // behind its virtio-net card
  std::string bridge;  // that the tap is plugged into, with the host's own address
  std::string device;  // its card, as the guest calls it: "eth0"
};

// The guest as the system under test: virtio-net, QEMU or vhost-net, tap, bridge, and a partner program of
// the host or a card. The guest is the caller's: it stays when this is destroyed. Its addresses are wiring's.
[[nodiscard]] std::unique_ptr<Platform> make_kvm(KvmGuest guest, EndpointClient& client);

// The virtual CPU's thread of QEMU process `vmm` goes to `guest_cpu`; its other threads and the kernel's that
// work for it (vhost-net, KVM's own) to `driver_cpu`. Error: QEMU has no thread for a virtual CPU.
[[nodiscard]] Result<> place_vmm(pid_t vmm, int guest_cpu, int driver_cpu);

}  // namespace vtax
