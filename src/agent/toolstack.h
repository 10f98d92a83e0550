#pragma once

#include <string>
#include <vector>

#include "core/result.h"
#include "subject/trial_spec.h"

namespace vtax::agent {

// Xen's own programs in Domain-0 (docs/design/lab-image.md): makes the directories they expect, starts
// xenstored and xenconsoled, and registers Domain-0. No udev and no hotplug scripts: what those do is done by
// this program.
[[nodiscard]] Result<> start_toolstack();

struct NewGuest {
  int number = 1;  // 1, 2, ...
  std::string name;
  std::vector<int> cpus;  // of its first virtual CPU, its second, ...
  int memory_mib = 0;
  std::string type;  // "pv", "pvh", "hvm" (QEMU emulates its machine) or "hvm-pv" (but its drivers are PV)
  std::string mac, bridge;
  std::string arguments = {};  // of the user's, for its kernel
  std::string backend = {};    // the domain that has the bridge; empty: this one
  bool takes_devices = false;  // it may be given PCI devices (give_device())
};

// Builds the guest with `xl create` from /lab/guest. Created in the order of their numbers, their network
// backends are "vif1.0", "vif2.0", ...
[[nodiscard]] Result<> create_guest(const NewGuest& guest);

// A paravirtual driver domain, from the guests' image.
struct NewDriverDomain {
  int number = 1;
  std::string name;
  std::string cpus;
  int memory_mib = 0;
  std::string card;         // that it gets: "0000:00:04.0", given away
  std::string mac, bridge;  // of its interface to this domain, and this domain's bridge
};
[[nodiscard]] Result<> create_driver_domain(const NewDriverDomain& driver);

// Takes a PCI device from its driver, so that a domain can have it (`xl pci-assignable-add`).
[[nodiscard]] Result<> give_away(const std::string& device);

// Gives a running paravirtual guest such a device, for good.
[[nodiscard]] Result<> give_device(const std::string& guest, const std::string& device);

// Gives a running guest a block device of this domain as its `name` ("xvda"), through blkback.
[[nodiscard]] Result<> attach_disk(const std::string& guest, const std::string& device,
                                   const std::string& name);

// Pins the guest's first virtual CPU, its second, ... to other CPUs.
[[nodiscard]] Result<> move_guest(const std::string& guest, const std::vector<int>& cpus);

// The guest's part of CPUs that it has to share: its weight (256 is usual) and its cap in per cent of a CPU
// (0: none). Error: the scheduler has neither.
[[nodiscard]] Result<> set_share(const std::string& guest, Scheduler scheduler, int weight, int cap_percent);

// Asks the guest's balloon for all above this. It takes its time: wait_for_memory().
[[nodiscard]] Result<> set_memory(const std::string& guest, int mib);

// The last lines of the guest's console, for the reader of an error.
[[nodiscard]] std::string guest_console_tail(const std::string& guest, std::size_t most_bytes = 2000);

// Of a domain that has crashed or shut down: "it has crashed". Empty: it runs.
[[nodiscard]] std::string end_of_domain(const std::string& domain);

// The same of its device model's log; empty where it has none.
[[nodiscard]] std::string device_model_tail(const std::string& guest);

}  // namespace vtax::agent
