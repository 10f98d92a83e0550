#include "watch/inventory.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "core/readable.h"
#include "meter/kernel_text.h"
#include "watch/container_groups.h"
#include "watch/hypervisor_process.h"

namespace vtax::watch {
namespace {

using meter::ProcessFacts;
using meter::whole_number;

// The domain in "vif3.0-q0-guest-rx", "vif3.0", "3.xvda-0", "blkback.3.xvda".
std::optional<int> domain_in(std::string_view name) {
  for (const std::string_view before : {"vif", "blkback.", ""}) {
    if (!name.starts_with(before)) continue;
    const std::string_view rest = name.substr(before.size());
    const std::size_t dot = rest.find('.');
    if (dot == std::string_view::npos || dot == 0) continue;
    if (const auto number = whole_number<int>(rest.substr(0, dot)); number && *number > 0) return number;
  }
  return std::nullopt;
}

constexpr std::size_t kLongestName = 100, kLongestId = 400;

class Builder {
 public:
  explicit Builder(const Facts& facts) : facts_(facts) {}

  Inventory build() {
    find_domains();
    find_hypervisors();
    find_containers();
    sort_and_name();
    assign_processes();
    assign_devices();
    return std::move(out_);
  }

 private:
  void find_domains() {
    if (!facts_.domains) return;
    for (const auto& [number, domain] : *facts_.domains) {
      KnownGuest guest;
      guest.identity = fmt::format("xen {} ", number);
      for (const std::uint8_t byte : domain.handle) guest.identity += fmt::format("{:02x}", byte);
      guest.name = domain.name.empty() ? fmt::format("domain-{}", number) : domain.name;
      guest.id = std::to_string(number);
      guest.found_by = domain.name.empty() ? "xen" : "xl";
      guest.kind = GuestKind::xen;
      guest.domain = number;
      out_.guests.push_back(std::move(guest));
    }
  }

  KnownGuest* of_domain(int number) {
    for (KnownGuest& guest : out_.guests)
      if (guest.domain == number) return &guest;
    return nullptr;
  }

  void find_hypervisors() {
    for (const auto& [number, process] : facts_.processes) {
      const auto found = hypervisor_of(process.arguments);
      if (!found) continue;
      if (found->xen_domain) {
        if (KnownGuest* guest = of_domain(*found->xen_domain)) {
          guest->helpers.push_back(number);
          taken_.insert(number);
        }
        continue;
      }
      // A process that was forked off still has its parent's arguments.
      const auto parent = facts_.processes.find(process.parent);
      if (parent != facts_.processes.end() && parent->second.arguments == process.arguments) continue;
      KnownGuest guest;
      guest.kind = found->kind;
      guest.identity = fmt::format("process {} {}", number, process.born_ticks);
      const char* word = found->kind == GuestKind::uml      ? "uml"
                         : process.name.starts_with("qemu") ? "qemu"
                                                            : process.name.c_str();
      guest.name = found->name.empty() ? fmt::format("{}-{}", word, number) : found->name;
      guest.id = std::to_string(number);
      const bool of_libvirt = std::find(facts_.libvirt_guests.begin(), facts_.libvirt_guests.end(),
                                        found->name) != facts_.libvirt_guests.end();
      guest.found_by = of_libvirt ? "libvirt" : "process";
      guest.memory_bytes = found->memory_bytes;
      guest.processes.push_back(number);
      taken_.insert(number);
      guest.born_ticks = process.born_ticks;
      for (const auto& link : facts_.links)
        if (may_be_of(link, number) && std::find(found->network_devices.begin(), found->network_devices.end(),
                                                 link.name) != found->network_devices.end())
          guest.links.push_back(link.index);
      out_.guests.push_back(std::move(guest));
    }
    // What they have started; parents have smaller numbers, but where numbers began anew.
    for (bool more = true; more;) {
      more = false;
      for (const auto& [number, process] : facts_.processes)
        if (!taken_.contains(number) && taken_.contains(process.parent) && number != facts_.own_process)
          for (KnownGuest& guest : out_.guests)
            for (auto* of : {&guest.processes, &guest.helpers})
              if (std::find(of->begin(), of->end(), process.parent) != of->end() &&
                  taken_.insert(number).second) {
                of->push_back(number);
                more = true;
                break;
              }
    }
    for (const auto& [number, process] : facts_.processes) {
      if (!process.of_kernel) continue;
      KnownGuest* guest = nullptr;
      int owner = 0;
      const auto parse = [&](std::string_view before) {
        const std::string_view name = process.name;
        const auto value =
            name.starts_with(before) ? whole_number<int>(name.substr(before.size())) : std::nullopt;
        owner = value.value_or(0);
        return value.has_value();
      };
      if (parse("vhost-") || parse("kvm-pit/")) {
        for (KnownGuest& one : out_.guests)
          if (std::find(one.processes.begin(), one.processes.end(), owner) != one.processes.end())
            guest = &one;
      } else if (facts_.domains) {
        if (const auto domain = domain_in(process.name)) guest = of_domain(*domain);
      }
      if (guest == nullptr) continue;
      guest->helpers.push_back(number);
      taken_.insert(number);
    }
  }

  void find_containers() {
    std::map<std::string, KnownGuest> found;
    for (const auto& [number, process] : facts_.processes)
      for (const auto& [controllers, path] : process.groups) {
        const auto container = container_of(path);
        if (!container) continue;
        const std::string identity = "group " + container->path;
        KnownGuest& guest = found[identity];
        if (guest.identity.empty()) {
          guest.identity = identity;
          guest.id = container->path;
          guest.found_by = container->found_by;
          const auto given = facts_.given_names.find(container->hash);
          guest.name = given != facts_.given_names.end() ? given->second : container->name;
          guest.network_namespace = process.network_namespace;
        }
        for (const auto& [of, in] : process.groups) {
          const auto here = container_of(in);
          if (!here || "group " + here->path != identity) continue;
          meter::Words names(of, ",");
          if (of.empty()) guest.groups.emplace("", here->path);
          for (auto name = names.next(); !name.empty(); name = names.next())
            guest.groups.emplace(name, here->path);
        }
        if (number == facts_.own_process || taken_.contains(number))
          guest.group_is_its_own = false;
        else
          guest.processes.push_back(number);
        if (guest.network_namespace != process.network_namespace && process.network_namespace)
          guest.network_namespace.reset();  // several: none is the container's
        break;
      }
    for (auto& [identity, guest] : found) {
      if (guest.network_namespace == facts_.network_namespace) guest.network_namespace.reset();
      if (!guest.processes.empty()) out_.guests.push_back(std::move(guest));
    }
  }

  // Anybody may name any device in his arguments: believed of taps that nobody else is known to hold.
  [[nodiscard]] bool may_be_of(const meter::LinkReading& link, int process) const {
    if (link.kind != "tun" && link.kind != "macvtap") return false;
    const auto holder = facts_.taps.find(link.index);
    return holder == facts_.taps.end() || holder->second == process;
  }

  void sort_and_name() {
    // Anybody's processes and groups have names: what leaves here is text of one line.
    for (KnownGuest& guest : out_.guests) {
      guest.name = printable(guest.name, kLongestName);
      guest.id = printable(guest.id, kLongestId);
    }
    // Who had a name first keeps it: a stranger's process that says the same renames nobody.
    std::stable_sort(out_.guests.begin(), out_.guests.end(),
                     [](const KnownGuest& a, const KnownGuest& b) { return a.born_ticks < b.born_ticks; });
    std::set<std::string> taken;
    for (KnownGuest& guest : out_.guests) {
      if (taken.insert(guest.name).second) continue;
      // A name may look like one that was made so.
      const std::string name = guest.name + " (" + guest.id + ")";
      guest.name = name;
      for (int number = 2; !taken.insert(guest.name).second; ++number)
        guest.name = fmt::format("{} #{}", name, number);
    }
    std::sort(out_.guests.begin(), out_.guests.end(), [](const KnownGuest& a, const KnownGuest& b) {
      return std::tie(a.name, a.identity) < std::tie(b.name, b.identity);
    });
  }

  void assign_processes() {
    for (const auto& [number, process] : facts_.processes) {
      Part part = Part::elsewhere;
      if (process.of_kernel) part = process.name.starts_with("ksoftirqd/") ? Part::softirqs : Part::driver;
      for (const char* daemon : {"xenstored", "oxenstored", "xenconsoled"})
        if (facts_.domains && process.name == daemon) part = Part::driver;
      out_.processes[number] = {part, 0, -1};
    }
    for (std::size_t i = 0; i < out_.guests.size(); ++i) {
      const KnownGuest& guest = out_.guests[i];
      // Of a hypervisor's threads the virtual CPUs alone are the guest: find_virtual_cpus().
      const bool all_own = guest.kind == GuestKind::container || guest.kind == GuestKind::uml;
      for (const int process : guest.processes)
        out_.processes[process] = {all_own ? Part::own : Part::helper, i, -1};
      for (const int process : guest.helpers) out_.processes[process] = {Part::helper, i, -1};
    }
    out_.processes[facts_.own_process] = {Part::vtax, 0, -1};
  }

  void assign_devices() {
    std::map<int, std::size_t> of_process;
    for (std::size_t i = 0; i < out_.guests.size(); ++i) {
      for (const int process : out_.guests[i].processes) of_process[process] = i;
      if (const auto network = out_.guests[i].network_namespace) out_.namespaces[*network].push_back(i);
    }
    const std::uint32_t here = facts_.network_namespace.value_or(0);
    for (const auto& link : facts_.links) {
      const auto give = [&](std::size_t i) {
        auto& links = out_.guests[i].links;
        if (std::find(links.begin(), links.end(), link.index) == links.end()) links.push_back(link.index);
      };
      if (const auto tap = facts_.taps.find(link.index); tap != facts_.taps.end())
        if (const auto owner = of_process.find(tap->second); owner != of_process.end()) give(owner->second);
      if (facts_.domains && link.name.starts_with("vif"))
        if (const auto domain = domain_in(link.name))
          for (std::size_t i = 0; i < out_.guests.size(); ++i)
            if (out_.guests[i].domain == *domain) give(i);
      if (!link.other_end_namespace) continue;
      // The host's end of a container's pair; the container counts its own end.
      const auto number = facts_.namespace_numbers.find(*link.other_end_namespace);
      if (number == facts_.namespace_numbers.end()) continue;
      if (const auto owners = out_.namespaces.find(number->second); owners != out_.namespaces.end())
        out_.devices[{here, link.index}] = owners->second;
    }
    for (std::size_t i = 0; i < out_.guests.size(); ++i)
      for (const std::uint32_t index : out_.guests[i].links) out_.devices[{here, index}].push_back(i);
    out_.network_interrupts = facts_.network_interrupts;
    for (const auto& [interrupt, name] : facts_.interrupts)
      if (facts_.domains)
        if (const auto domain = domain_in(name))
          for (std::size_t i = 0; i < out_.guests.size(); ++i)
            if (out_.guests[i].domain == *domain) out_.interrupts[interrupt] = i;
  }

  const Facts& facts_;
  Inventory out_;
  std::set<int> taken_;
};

}  // namespace

Whose Inventory::of(int process, int thread) const {
  if (const auto known = threads.find(thread); known != threads.end()) return known->second;
  if (const auto known = processes.find(process); known != processes.end()) return known->second;
  return {};
}

const std::vector<std::size_t>* Inventory::owners(const meter::DeviceKey& device) const {
  if (device.none()) return nullptr;
  if (const auto known = devices.find(device); known != devices.end()) return &known->second;
  if (const auto known = namespaces.find(device.network_namespace); known != namespaces.end())
    return &known->second;
  return nullptr;
}

Inventory make_inventory(const Facts& facts) {
  return Builder(facts).build();
}

void find_virtual_cpus(Inventory& inventory, const std::map<std::string, GuestLook>& looks) {
  inventory.threads.clear();
  for (std::size_t i = 0; i < inventory.guests.size(); ++i) {
    const KnownGuest& guest = inventory.guests[i];
    if (guest.kind != GuestKind::kvm && guest.kind != GuestKind::qemu) continue;
    const auto look = looks.find(guest.identity);
    if (look == looks.end()) continue;
    bool named = false;
    for (const auto& [number, thread] : look->second.threads)
      if (const auto cpu = virtual_cpu_of(thread.name)) {
        inventory.threads[number] = {Part::own, i, *cpu};
        named = true;
      }
    // An emulator that does not name its threads: what is the guest's cannot be told from the rest. KVM's
    // guests tell it themselves (ClockMode::guest, guest ticks).
    if (guest.kind == GuestKind::qemu)
      for (const int process : guest.processes)
        inventory.processes[process].part = named ? Part::helper : Part::own;
  }
}

std::map<std::uint32_t, std::string> parse_interrupts(std::string_view text) {
  std::map<std::uint32_t, std::string> names;
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    const std::size_t colon = line.find(':');
    if (colon == std::string_view::npos) continue;
    const auto number = whole_number<std::uint32_t>(meter::Words(line.substr(0, colon)).next());
    const std::size_t last = line.find_last_of(" \t");
    if (number && last != std::string_view::npos && last > colon) names[*number] = line.substr(last + 1);
  }
  return names;
}

}  // namespace vtax::watch
