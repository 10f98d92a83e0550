#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "platform/booted_guests.h"
#include "platform/guest_process.h"

namespace vtax {

// The card of guest 1, 2, ...: a tap that its program opens.
[[nodiscard]] std::string guest_tap(int guest);

// Guests that are programs of the measuring kernel, each with a tap.
struct TapGuest {
  std::string name;
  MeteredProcess::Role role = MeteredProcess::Role::emulator;
  std::string device;
  std::function<GuestProgram(int guest)> program;
  std::chrono::seconds boot_limit{60};
};
[[nodiscard]] std::unique_ptr<Platform> make_tap_guest(const TapGuest& guest);

// User Mode Linux: `kernel` is the program. It keeps its memory and its folder below `scratch`. `walls`: what
// it is confined to (GuestProgram::walls), which has the image, `scratch` and its libraries in /lib, all
// named as seen from within; empty: it sees this computer's files, and root in it all that this user may.
[[nodiscard]] std::unique_ptr<Platform> make_uml(const GuestImage& image,
                                                 const std::filesystem::path& scratch,
                                                 const std::string& walls = {});

// Of the file below `scratch` that is the memory of such a guest within walls, at the most.
[[nodiscard]] std::uint64_t uml_memory_file_bytes(const GuestImage& image);

// How QEMU runs the guest. With KVM it opens /dev/kvm; packets pass through vhost-net, or through QEMU.
enum class Acceleration { tcg, kvm_with_vhost, kvm };

// `qemu`: program, arguments that come before all others, environment.
[[nodiscard]] std::unique_ptr<Platform> make_qemu(const GuestImage& image, const GuestProgram& qemu,
                                                  Acceleration acceleration);

}  // namespace vtax
