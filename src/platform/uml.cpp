#include <fmt/format.h>

#include "platform/extended_registers.h"
#include "platform/tap_guest.h"
#include "platform/wiring.h"

namespace vtax {
namespace {

constexpr char kUmlDevice[] = "vec0";
constexpr int kUmlMemoryMib = 128;
// It adds to its memory what Linux leaves free between a program and its heap: up to a GiB, by chance, but
// next to nothing where addresses are fixed, as within walls.
constexpr int kMoreInFileMib = 8;

int uml_memory_mib(const GuestImage& image) {
  return kUmlMemoryMib + image.more_memory_mib;
}

}  // namespace

std::uint64_t uml_memory_file_bytes(const GuestImage& image) {
  return static_cast<std::uint64_t>(uml_memory_mib(image) + kMoreInFileMib) << 20;
}

std::unique_ptr<Platform> make_uml(const GuestImage& image, const std::filesystem::path& scratch,
                                   const std::string& walls) {
  TapGuest guest;
  guest.name = "uml";
  guest.role = MeteredProcess::Role::uml;
  guest.device = kUmlDevice;
  guest.boot_limit = std::chrono::seconds(30);
  guest.program = [=](int number) {
    GuestProgram program;
    program.program = image.kernel;
    program.arguments = {fmt::format("mem={}M", uml_memory_mib(image)), "initrd=" + image.initrd.string(),
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
    if (!walls.empty()) {
      program.walls = walls;
      program.largest_file_bytes = uml_memory_file_bytes(image);
      program.environment.emplace_back("LD_LIBRARY_PATH=/lib");
    }
    return program;
  };
  return make_tap_guest(std::move(guest));
}

}  // namespace vtax
