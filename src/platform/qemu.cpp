#include <fmt/format.h>

#include "platform/tap_guest.h"
#include "platform/wiring.h"

namespace vtax {
namespace {

constexpr char kQemuDevice[] = "eth0";
constexpr int kQemuMemoryMib = 256;

}  // namespace

std::unique_ptr<Platform> make_qemu(const GuestImage& image, const GuestProgram& qemu,
                                    Acceleration acceleration) {
  const bool emulates = acceleration == Acceleration::tcg;
  const bool vhost = acceleration == Acceleration::kvm_with_vhost;
  TapGuest guest;
  guest.name = emulates ? "qemu" : vhost ? "kvm" : "kvm-qemu";
  guest.role = emulates ? MeteredProcess::Role::emulator : MeteredProcess::Role::kvm;
  guest.device = kQemuDevice;
  guest.program = [=](int number) {
    GuestProgram program = qemu;
    program.largest_file_bytes = 0;
    // Named threads ("CPU 0/TCG") tell the meter who works for whom. The accelerator is named, so that QEMU
    // never chooses.
    const std::vector<std::string> arguments = {
        "-name", "vtax,debug-threads=on", "-nodefaults", "-no-user-config", "-no-reboot", "-display", "none",
        "-sandbox", "on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny", "-M",
        emulates ? "pc,accel=tcg" : "pc,accel=kvm,hpet=off", "-cpu", emulates ? "max" : "host", "-smp", "1",
        "-m", std::to_string(kQemuMemoryMib + image.more_memory_mib), "-kernel", image.kernel.string(),
        "-initrd", image.initrd.string(), "-append",
        // The kernel tests its ciphers when it boots, which takes an emulated CPU a quarter of the time; and
        // its timer, which beside other work seems not to tick.
        "console=ttyS0 quiet nokaslr panic=-1 cryptomgr.notests no_timer_check " + guest_boot_word(number),
        "-serial", "stdio", "-netdev",
        fmt::format("tap,id=n0,ifname={},script=no,downscript=no,vnet_hdr=on{}", guest_tap(number),
                    vhost ? ",vhost=on" : ""),
        "-device", fmt::format("virtio-net-pci,netdev=n0,mac={},romfile=", wiring::guest_mac(number))};
    program.arguments.insert(program.arguments.end(), arguments.begin(), arguments.end());
    return program;
  };
  return make_tap_guest(std::move(guest));
}

}  // namespace vtax
