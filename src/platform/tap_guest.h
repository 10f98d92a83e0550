#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "platform/guest_process.h"
#include "platform/platform.h"

namespace vtax {

// Guests on the measuring kernel itself: the network card of each is a tap at a bridge (or a router in its
// place), and their partners are programs in a namespace behind a veth pair at the same bridge, as a
// container's are. vtax is a guest's PID 1 (role "guest") and answers on its card. For Topology::inside
// alone. Setup's link is that veth pair.
//
// arrange() is called in a network namespace that has nothing else in it and ends with the trial: the
// devices' names are fixed, and the taps stay in it.
struct TapGuest {
  std::string name;  // "uml", "qemu", "kvm": for errors
  MeteredProcess::Role role = MeteredProcess::Role::emulator;
  std::string device;                              // the card's name in the guest
  std::function<GuestProgram(int guest)> program;  // of guest 1, 2, ...
  std::chrono::seconds boot_limit{60};             // of each
};

// Of guest 1, 2, ...: what its program is to open, its name in the ledger, and what its kernel is told.
[[nodiscard]] std::string guest_tap(int guest);
[[nodiscard]] std::string guest_domain_name(int guest);
[[nodiscard]] std::string guest_boot_word(int guest);

[[nodiscard]] std::unique_ptr<Platform> make_tap_guest(TapGuest guest);

// What is to run as a guest's kernel and first program.
struct GuestImage {
  std::filesystem::path kernel, initrd;
};

// User Mode Linux: `kernel` is the program. It keeps its memory and its folder below `scratch`.
[[nodiscard]] std::unique_ptr<Platform> make_uml(const GuestImage& image,
                                                 const std::filesystem::path& scratch);

// How QEMU runs the guest. With KVM it opens /dev/kvm; packets pass through vhost-net, or through QEMU.
enum class Acceleration { tcg, kvm_with_vhost, kvm };

// `qemu`: program, arguments that come before all others, environment.
[[nodiscard]] std::unique_ptr<Platform> make_qemu(const GuestImage& image, const GuestProgram& qemu,
                                                  Acceleration acceleration);

}  // namespace vtax
