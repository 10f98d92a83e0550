#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>

#include "platform/guest_process.h"
#include "platform/platform.h"

namespace vtax {

// A guest on the measuring kernel itself: its network card is a tap at a bridge, and its partner is a program
// in a namespace behind a veth pair at the same bridge, as a container's is. vtax is the guest's PID 1 (role
// "guest") and answers on its card. For Topology::inside alone.
//
// arrange() is called in a network namespace that has nothing else in it and ends with the trial: the
// devices' names are fixed, and the tap stays in it.
struct TapGuest {
  std::string name;  // "uml", "qemu", "kvm": for errors
  MeteredProcess::Role role = MeteredProcess::Role::emulator;
  std::string device;  // the card's name in the guest
  GuestProgram program;
  std::chrono::seconds boot_limit{60};
};

inline constexpr char guest_tap[] = "vtaxg0";  // what a TapGuest's program is to open
inline constexpr char guest_domain_name[] = "guest1";

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
