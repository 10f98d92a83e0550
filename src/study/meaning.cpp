#include "study/meaning.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <initializer_list>

#include "study/catalogue.h"
#include "study/machine_rules.h"

namespace vtax {
namespace {

bool is_one_of(std::string_view name, std::initializer_list<std::string_view> names) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

bool is_the_hosts_alone(std::string_view factor) {
  return factor == "hardware_counters";
}

bool machine_has(std::string_view factor, std::string_view machine) {
  return machine == host_machine ? !is_the_labs_alone(factor) : !is_the_hosts_alone(factor);
}

bool platform_has(std::string_view factor, std::string_view platform) {
  const bool is_xen = platform.starts_with("xen-");
  if (is_one_of(factor, {"driver_domains", "iommu"})) return platform == "xen-pv";
  if (is_one_of(factor, {"scheduler", "guest_weights", "guest_cap_percent"})) return is_xen;
  if (is_one_of(factor, {"guest_cpu", "driver_cpus", "driver_interrupts", "guest_memory_mib", "balloon_mib"}))
    return is_xen || platform.starts_with("kvm");
  return factor != "forwarding" || platform != "native";
}

bool topology_has(std::string_view factor, std::string_view machine, std::string_view topology) {
  if (machine == host_machine) return true;
  return topology != "inside" || !is_one_of(factor, {"cards", "link_mbps"});
}

// Why a factor is set aside, for people: "platform native", "topology inside", "machine host".
std::string place_of(std::string_view factor, std::string_view machine, const PlanCell& cell) {
  if (!machine_has(factor, machine)) return fmt::format("machine {}", machine);
  if (!platform_has(factor, cell.at("platform"))) return "platform " + cell.at("platform");
  return "topology " + cell.at("topology");
}

struct SetAside {
  std::vector<std::string> places;  // where, in the order of the plan
  bool means_something = false;     // one of its other values does somewhere
};

// Without the topology, which also says whose CPU is left out as the peer's.
constexpr std::array<std::string_view, 6> kOfTheNetwork{"offloads",      "link_mbps",   "cards",
                                                        "system_window", "peer_window", "forwarding"};

bool is_without_traffic(const PlanCell& cell) {
  return is_one_of(cell.at("workload"), {"memory", "linpack", "cpu-loop", "compile", "disk"});
}

// Leaves the first of the cells whose work has no traffic and that differ in nothing but the network.
std::vector<PlanCell> without_idle_networks(std::vector<PlanCell> cells, std::vector<std::string>& notes) {
  std::map<PlanCell, PlanCell> first;  // by what is left without the network's factors
  std::map<std::string, std::set<std::string>> dropped;
  std::erase_if(cells, [&](const PlanCell& cell) {
    if (!is_without_traffic(cell)) return false;
    PlanCell rest = cell;
    for (const std::string_view name : kOfTheNetwork) rest.erase(std::string(name));
    const auto [kept, is_new] = first.emplace(std::move(rest), cell);
    if (is_new) return false;
    for (const std::string_view name : kOfTheNetwork)
      if (cell.at(std::string(name)) != kept->second.at(std::string(name)))
        dropped[cell.at("workload")].insert(std::string(name));
    return true;
  });
  for (const auto& [workload, factors] : dropped)
    notes.push_back(fmt::format("{} {} no meaning for {}: measured once, with the first of the values named",
                                fmt::join(factors, " and "), factors.size() == 1 ? "has" : "have", workload));
  return cells;
}

std::string advice(std::string_view factor, std::string_view machine) {
  std::vector<std::string> platforms_with;
  for (const PlatformKind& platform : platforms())
    if (platform.in_lab && platform_has(factor, platform.name)) platforms_with.emplace_back(platform.name);
  if (!machine_has(factor, machine))
    return machine == host_machine ? "leave it out, or run the study in the lab"
                                   : "leave it out, or run the study with --machine host";
  if (is_one_of(factor, {"cards", "link_mbps"})) return "leave it out, or take topology = \"card\"";
  return fmt::format("leave it out, or name a platform that has a choice of it: {}",
                     fmt::join(platforms_with, ", "));
}

}  // namespace

bool is_the_labs_alone(std::string_view factor) {
  return is_one_of(factor, {"guest_cpu", "driver_cpus", "scheduler", "cards", "driver_interrupts",
                            "driver_domains", "iommu", "guest_weights", "guest_cap_percent",
                            "guest_memory_mib", "balloon_mib", "caches", "sampling_hz", "cpu_mips",
                            "round_instructions"});
}

bool has_meaning(std::string_view factor, std::string_view machine, const PlanCell& cell) {
  if (!machine_has(factor, machine)) return false;
  return platform_has(factor, cell.at("platform")) && topology_has(factor, machine, cell.at("topology"));
}

Result<MeaningfulPass> only_meaningful(std::string_view machine, std::vector<PlanCell> pass,
                                       const std::string& what) {
  MeaningfulPass out;
  std::map<std::string, SetAside> by_factor;
  std::set<PlanCell> seen;
  for (PlanCell& cell : pass) {
    const PlanCell named = cell;
    for (const Factor& factor : common_factors()) {
      const std::string name(factor.name);
      if (named.at(name) == factor.fallback) continue;
      SetAside& aside = by_factor[name];
      if (has_meaning(name, machine, named)) {
        aside.means_something = true;
        continue;
      }
      cell[name] = factor.fallback;
      if (!platform_has(name, named.at("platform"))) out.set_aside[named.at("platform")].insert(name);
      std::string place = place_of(name, machine, named);
      if (std::find(aside.places.begin(), aside.places.end(), place) == aside.places.end())
        aside.places.push_back(std::move(place));
    }
    if (seen.insert(cell).second) out.cells.push_back(std::move(cell));
  }
  for (const auto& [name, aside] : by_factor) {
    if (aside.places.empty()) continue;
    const std::string where = fmt::format("{}", fmt::join(aside.places, " and "));
    const auto usual = find_factor(common_factors(), name)->fallback;
    if (!aside.means_something)
      return fail(
          {what, fmt::format("on {} '{}' can only be {}", where, name, usual), advice(name, machine)});
    out.notes.push_back(fmt::format("{} has no meaning on {}: measured once there, as with {} = {}", name,
                                    where, name, usual));
  }
  out.cells = without_idle_networks(std::move(out.cells), out.notes);
  return out;
}

}  // namespace vtax
