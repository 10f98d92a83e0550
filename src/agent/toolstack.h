#pragma once

#include <string>

#include "core/result.h"

namespace vtax::agent {

// Xen's own programs in Domain-0 (docs/design/lab-image.md): makes the directories they expect, starts
// xenstored and xenconsoled, and registers Domain-0. No udev and no hotplug scripts: what those do is done by
// this program.
[[nodiscard]] Result<> start_toolstack();

struct NewGuest {
  int number = 1;  // 1, 2, ...
  std::string name;
  std::string cpus;  // Xen's syntax: "2"
  unsigned memory_mib = 0;
  std::string type;  // "pv", "pvh", "hvm" (QEMU emulates its machine) or "hvm-pv" (but its drivers are PV)
  std::string mac, bridge;
};

// Builds the guest with `xl create` from /lab/guest. Created in the order of their numbers, their network
// backends are "vif1.0", "vif2.0", ...
[[nodiscard]] Result<> create_guest(const NewGuest& guest);

// Gives a running guest a block device of this domain as its `name` ("xvda"), through blkback.
[[nodiscard]] Result<> attach_disk(const std::string& guest, const std::string& device,
                                   const std::string& name);

// Pins the guest's only virtual CPU to another CPU.
[[nodiscard]] Result<> move_guest(const std::string& guest, int cpu);

// The last lines of the guest's console, for the reader of an error.
[[nodiscard]] std::string guest_console_tail(const std::string& guest);

}  // namespace vtax::agent
