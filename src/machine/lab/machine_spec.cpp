#include "machine/lab/machine_spec.h"

#include <fmt/format.h>

#include <algorithm>

namespace vtax::lab {
namespace {

// Off, and why (docs/design/lab-image.md): SMAP, SMEP: Domain-0 faults at once; x2APIC: "Bad icount read";
// XSAVE: an assertion in QEMU with a plugin; ERMS, FSRM, FZRM, FSRS, FSRC: `rep movsb`, `rep stosb` and `rep
// cmpsb` would count one instruction a byte; RDRAND, RDSEED: entropy; AVX and what is encoded as it: it
// faults without XSAVE, which Linux 7.2 does not ask for.
constexpr const char* kCpu =
    "max,-smap,-smep,-pku,-la57,-rdrand,-rdseed,-x2apic,-xsave,-erms,-fsrm,-fzrm,-fsrs,-fsrc,"
    "-avx,-avx2,-f16c,-fma,-vaes,-vpclmulqdq";

// With RDTSCP a PVH guest dies of Xen's "Insn len emulation failed": QEMU and Xen disagree about its length.
const std::string kVirtualisingCpu = std::string(kCpu) + ",-rdtscp";

struct Backend {
  std::string id, options;
};

// What the system's card and the peer's are connected to. Of machines that are joined one card is on the
// network of the work, and the controller may have the other's.
std::array<Backend, 2> backends_of(const MachineSpec& spec) {
  if (!spec.joint)
    return {Backend{"wire0", "hubport,id=wire0,hubid=0"}, Backend{"wire1", "hubport,id=wire1,hubid=0"}};
  const auto network = [&](int number) {
    const std::string id = fmt::format("network{}", number);
    return Backend{id, fmt::format("dgram,id={},local.type=fd,local.str={}", id,
                                   spec.joint->sockets.at(static_cast<std::size_t>(number)))};
  };
  const int of_the_work = spec.joint->is_peers ? 1 : 0;
  return {network(of_the_work), network(1 - of_the_work)};
}

// `last_byte`: of its Ethernet address.
std::string card_argument(const LabCard& card, std::string_view network, std::string_view last_byte,
                          int slot) {
  return fmt::format("{},netdev={},mac=52:54:00:00:00:{},addr={},romfile={}", card.device, network, last_byte,
                     slot, card.options);
}

}  // namespace

std::string JointEnd::variable() const {
  return fmt::format("VTAX_LINK={}:{}:{}:{}:{}:{}", memory, seat, seats, latency.count(), sockets[0],
                     sockets[1]);
}

std::vector<std::string> machine_arguments(const MachineSpec& spec) {
  const std::array<Backend, 2> backends = backends_of(spec);
  std::vector<std::string> out = {
      "-nodefaults", "-no-user-config", "-display", "none", "-no-reboot", "-M", spec.iommu ? "q35" : "pc",
      "-accel", "tcg,thread=single", "-rtc", "base=" + spec.date + ",clock=vm", "-cpu",
      spec.virtualises ? kVirtualisingCpu : kCpu, "-smp", std::to_string(spec.cpus), "-m",
      std::to_string(spec.memory_mib), "-net", "none",
      // Two cards and the wire between them; their slots keep the interrupt lines apart.
      "-netdev", backends[0].options, "-netdev", backends[1].options, "-device",
      spec.virtual_functions
          ? fmt::format("igb,netdev={},mac=52:54:00:00:00:0a,addr=4,romfile=", backends[0].id)
          : card_argument(spec.card, backends[0].id, "0a", 4),
      "-device", card_argument(spec.card, backends[1].id, "0b", 6),
      // The agent stops the machine by this watchdog while every CPU sleeps: docs/design/lab-image.md, "The
      // snapshot".
      "-device", "ib700", "-action", "watchdog=pause"};
  // Ahead of the devices whose accesses it translates. Without interrupt remapping Xen's interrupts are those
  // of the machine without it.
  if (spec.iommu) {
    const auto first_device = std::find(out.begin(), out.end(), "-device");
    out.insert(first_device, {"-device", "intel-iommu,intremap=off"});
  }
  // QEMU 10 takes a function's registers, whose addresses have 64 bits, for such of 32: the window above 4
  // GiB stays closed.
  if (spec.virtual_functions) out.insert(out.end(), {"-global", "q35-pcihost.pci-hole64-size=0"});
  if (spec.cards > 1)
    out.insert(out.end(), {"-netdev", "hubport,id=wire2,hubid=1", "-netdev", "hubport,id=wire3,hubid=1",
                           "-device", card_argument(spec.card, "wire2", "0c", 5), "-device",
                           card_argument(spec.card, "wire3", "0d", 7)});
  if (!spec.real_time)
    out.insert(out.end(), {"-icount", fmt::format("shift={},align=off,sleep=off", spec.icount_shift)});
  out.insert(out.begin(), spec.qemu.arguments.begin(), spec.qemu.arguments.end());
  if (spec.xen.empty())
    out.insert(out.end(), {"-kernel", spec.kernel.string(), "-append", spec.kernel_arguments, "-initrd",
                           spec.initrd.string()});
  return out;
}

}  // namespace vtax::lab
