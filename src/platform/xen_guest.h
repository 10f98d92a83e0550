#pragma once

#include <sys/types.h>

#include <chrono>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>

#include "platform/booted_guests.h"

namespace vtax {

// Who does for a trial what can only be done outside of its namespaces: Xen's toolstack, and the kernel's own
// threads.
struct XenHands {
  struct Made {
    int domain = 0;
    pid_t device_model = 0;  // QEMU, outside of the namespaces; 0: the domain has none
  };
  // Makes a domain by what `xl create` reads. It may come up before its network backend is plugged in, and
  // waits for that.
  std::function<Result<Made>(const std::string& name, const std::string& config, int memory_mib)> create;
  // The kernel's threads of a network backend ("vif3.0") go to a CPU of Domain-0.
  std::function<Result<>(const std::string& vif, int cpu)> place_backend;
  // So does the device model of a domain.
  std::function<Result<>(int domain, int cpu)> place_device_model;
};

// How long a guest outlives whoever holds it, if nobody destroys it: without a controller, and at all.
inline constexpr std::chrono::seconds kXenGuestAlone{60}, kXenGuestLifetime{1200};
// A guest's memory, and what Xen needs for it besides.
inline constexpr int kXenGuestMemoryMib = 192, kXenOverheadMib = 16;

struct XenGuest {
  std::string
      type;  // "pv"; "pvh"; "hvm", whose card QEMU emulates; "hvm-pv", fully virtualised with PV drivers
  GuestImage image;                      // as Domain-0 names it, outside of the namespaces
  std::string name_prefix;               // "vtax-4711-": the domain of guest 1 is "vtax-4711-1"
  std::filesystem::path first_network;   // the network namespace in which the kernel makes backends
  std::filesystem::path nothing_script;  // a program that does nothing and succeeds
  std::chrono::seconds lifetime = kXenGuestLifetime;
};

// What `xl create` is told of guest 1, 2, ...: one virtual CPU, on the physical CPU of that number. Errors:
// a path that cannot be written there.
[[nodiscard]] Result<std::string> xl_config(const XenGuest& guest, int number, int cpu);

// Guests of the Xen whose Domain-0 this is. Their backends are moved from the first network namespace to the
// caller's. They are not taken down by this: whoever has the hands does so.
[[nodiscard]] std::unique_ptr<Platform> make_xen_guests(const XenGuest& guest, XenHands hands);

}  // namespace vtax
