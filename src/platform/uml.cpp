#include <fmt/format.h>

#include "platform/extended_registers.h"
#include "platform/tap_guest.h"
#include "platform/wiring.h"

namespace vtax {
namespace {

constexpr char kUmlDevice[] = "vec0";
constexpr int kUmlMemoryMib = 128;

}  // namespace

std::unique_ptr<Platform> make_uml(const GuestImage& image, const std::filesystem::path& scratch) {
  TapGuest guest;
  guest.name = "uml";
  guest.role = MeteredProcess::Role::uml;
  guest.device = kUmlDevice;
  guest.boot_limit = std::chrono::seconds(30);
  guest.program = [=](int number) {
    GuestProgram program;
    program.program = image.kernel;
    program.arguments = {fmt::format("mem={}M", kUmlMemoryMib), "initrd=" + image.initrd.string(),
                         // The fixed Ethernet address: with one of its own choice each neighbour would first
                         // ask for the old one.
                         fmt::format("vec0:transport=tap,ifname={},depth=128,gro=1,mac={}", guest_tap(number),
                                     wiring::guest_mac(number)),
                         "uml_dir=" + scratch.string() + "/", "umid=" + guest_domain_name(number), "con=null",
                         "con0=null,fd:1", "quiet", "panic=-1", guest_boot_word(number)};
    if (!uml_has_room_for_registers()) {
      program.hides_extended_registers = true;
      program.arguments.emplace_back(kNoAvx);  // what the kernel does not know it hands to its first program
    }
    program.environment = {"PATH=/usr/bin:/bin", "HOME=" + scratch.string(), "TMPDIR=" + scratch.string()};
    return program;
  };
  return make_tap_guest(std::move(guest));
}

}  // namespace vtax
