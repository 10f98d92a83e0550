#include "advise/commands.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/files.h"
#include "core/readable.h"
#include "subject/platform_table.h"
#include "subject/trial_spec.h"

namespace vtax::advise {
namespace {

struct System {
  std::string name;
  int cpu = 0, weight = kUsualWeight;
};

std::string value_of(const Placement& placement, const std::string& factor, const char* usual) {
  const auto found = placement.common.find(factor);
  return found == placement.common.end() ? usual : found->second;
}

// The guests in the order in which stations_of has them.
std::vector<System> guests_of(const Server& server, const Placement& placement) {
  const std::string where = value_of(placement, "guest_cpu", "own");
  const bool are_halved = value_of(placement, "guest_weights", "equal") == name_of(GuestWeights::halving);
  std::vector<System> systems;
  for (std::size_t i = 0; i < placement.cells.size(); ++i) {
    const int guests = std::stoi(placement.cells[i].at("guests"));
    for (int guest = 1; guest <= guests; ++guest) {
      const int place = static_cast<int>(systems.size());
      const std::string& name = server.applications[i].name;
      systems.push_back({guests == 1 ? name : fmt::format("{}-{}", name, guest),
                         where == name_of(GuestCpu::own)        ? place + 1
                         : where == name_of(GuestCpu::together) ? 1
                                                                : 0,
                         are_halved ? std::max(1, kUsualWeight >> place) : kUsualWeight});
    }
  }
  return systems;
}

std::string memory_of(const Placement& placement) {
  return value_of(placement, "guest_memory_mib", "192");
}

std::string xl_config(const Placement& placement, const System& guest) {
  const std::string& platform = placement.common.at("platform");
  const char* type = platform == "xen-pv" ? "pv" : platform == "xen-pvh" ? "pvh" : "hvm";
  std::string text = fmt::format(
      "# xl create {0}.cfg\n"
      "# To be added: kernel or bootloader, and disk.\n"
      "name = \"{0}\"\n"
      "type = \"{1}\"\n"
      "vcpus = 1\n"
      "cpus = \"{2}\"\n"
      "memory = {3}\n"
      "vif = [\"bridge=xenbr0{4}\"]\n",
      guest.name, type, guest.cpu, memory_of(placement),
      platform == "xen-hvm" ? ",model=e1000,type=ioemu" : "");
  if (guest.weight != kUsualWeight) text += fmt::format("cpu_weight = {}\n", guest.weight);
  if (const std::string cap = value_of(placement, "guest_cap_percent", "0"); cap != "0")
    text += fmt::format("cap = {}\n", cap);
  return text;
}

std::string libvirt_domain(const Placement& placement, const System& guest) {
  return fmt::format(
      "<!-- virsh define {0}.xml; to be added: os boot and disks -->\n"
      "<domain type='{3}'>\n"
      "  <name>{0}</name>\n"
      "  <memory unit='MiB'>{2}</memory>\n"
      "  <vcpu placement='static'>1</vcpu>\n"
      "  <cputune>\n"
      "    <vcpupin vcpu='0' cpuset='{1}'/>\n"
      "    <emulatorpin cpuset='0'/>\n"
      "  </cputune>\n"
      "  <os>\n"
      "    <type arch='x86_64' machine='q35'>hvm</type>\n"
      "  </os>\n"
      "  <devices>\n"
      "    <interface type='bridge'>\n"
      "      <source bridge='br0'/>\n"
      "      <model type='virtio'/>\n"
      "      <driver name='{4}'/>\n"
      "    </interface>\n"
      "  </devices>\n"
      "</domain>\n",
      guest.name, guest.cpu, memory_of(placement), "kvm",
      placement.common.at("platform") == "kvm" ? "vhost" : "qemu");
}

std::string offload_lines(const Server& server, const Placement& placement) {
  const std::string state = value_of(placement, "offloads", "on");
  return fmt::format(
      "# Offloads of the card (in the guests, of theirs, likewise).\n"
      "ethtool -K {0} tso {1} gso {1} gro {1}\n",
      server.card, state);
}

std::string interrupt_lines(const Server& server, const std::string& cpu) {
  return fmt::format(
      "# Interrupts of the card to CPU {1}.\n"
      "for irq in $(sed -n 's/^ *\\([0-9]*\\):.*{0}.*/\\1/p' /proc/interrupts); do\n"
      "  echo {1} > /proc/irq/$irq/smp_affinity_list\n"
      "done\n",
      server.card, cpu);
}

// Socket buffers are the application's; the system bounds them.
std::string window_lines(const Placement& placement) {
  const std::string window = value_of(placement, "system_window", "0");
  if (window == "0") return "";
  return fmt::format(
      "# Socket buffers of the systems, {0}: inside each of them.\n"
      "sysctl -w net.ipv4.tcp_rmem=\"4096 {1} {1}\" net.ipv4.tcp_wmem=\"4096 {1} {1}\"\n",
      readable_bytes(std::stoull(window)), window);
}

std::string xen_lines(const Placement& placement, const std::vector<System>& guests) {
  std::string text =
      "# Domain-0 has CPU 0 alone.\n"
      "xl vcpu-pin Domain-0 all 0\n";
  for (const System& guest : guests) text += fmt::format("xl vcpu-pin {} 0 {}\n", guest.name, guest.cpu);
  const std::string scheduler = value_of(placement, "scheduler", "credit2");
  const std::string cap = value_of(placement, "guest_cap_percent", "0");
  if (scheduler.starts_with("credit"))
    for (const System& guest : guests)
      if (guest.weight != kUsualWeight || cap != "0")
        text += fmt::format("xl sched-{} -d {} -w {} -c {}\n", scheduler, guest.name, guest.weight, cap);
  return text;
}

std::string cpu_set_lines(const Option& option) {
  std::string text = "# Each system on its CPU, as the advice reckons.\n";
  const bool is_container = option.placement.common.at("platform") == "container";
  for (const Station& station : option.stations.all)
    for (std::string name : station.systems) {
      std::replace(name.begin(), name.end(), ' ', '-');
      text += fmt::format("systemctl set-property {}.service AllowedCPUs={}\n",
                          is_container ? "systemd-nspawn@" + name : name, station.cpu);
    }
  return text;
}

}  // namespace

std::map<std::string, std::string> commands_of(const Server& server, const Option& option) {
  const Placement& placement = option.placement;
  const std::string& platform = placement.common.at("platform");
  const GuestRunner runner = facts_of(platform_named(platform).value_or(PlatformId::native)).runner;
  const auto guests = guests_of(server, placement);
  std::map<std::string, std::string> files;
  std::string set = fmt::format(
      "#!/bin/sh\n# What vtax advises for {} on {}. vtax has run nothing of it; read it before you do.\n"
      "set -e\n",
      server.name, platform);
  set += offload_lines(server, placement);
  if (runner == GuestRunner::xen) {
    files["xen-boot-line"] = fmt::format("dom0_max_vcpus=1 dom0_vcpus_pin sched={}\n",
                                         value_of(placement, "scheduler", "credit2"));
    for (const System& guest : guests) files[guest.name + ".cfg"] = xl_config(placement, guest);
    set += xen_lines(placement, guests);
  } else if (runner == GuestRunner::none) {
    set += cpu_set_lines(option);
  } else {
    for (const System& guest : guests) files[guest.name + ".xml"] = libvirt_domain(placement, guest);
    set += interrupt_lines(server, "0");
  }
  set += window_lines(placement);
  files["set.sh"] = set;
  return files;
}

Result<> write_commands(const std::map<std::string, std::string>& files,
                        const std::filesystem::path& folder) {
  if (auto made = make_directories(folder); !made) return made;
  for (const auto& [name, text] : files) {
    std::error_code ignored;
    if (std::filesystem::exists(folder / name, ignored))
      return fail({"cannot write " + printable((folder / name).string(), 200), "it is there already",
                   "name an empty folder: what somebody may have changed is not written over"});
  }
  for (const auto& [name, text] : files)
    if (auto done = write_text(folder / name, text); !done) return done;
  return {};
}

}  // namespace vtax::advise
