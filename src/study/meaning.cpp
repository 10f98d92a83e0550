#include "study/meaning.h"

#include <fmt/format.h>

#include <algorithm>

#include "study/catalogue.h"
#include "study/machine_rules.h"

namespace vtax {
namespace {

const Factor& common_factor(std::string_view name) {
  return *find_factor(common_factors(), name);
}

bool machine_has(std::string_view factor, std::string_view machine) {
  const FactorMeaning& meaning = common_factor(factor).meaning;
  return machine == kHostMachine ? meaning.on_host : meaning.in_lab;
}

bool platform_has(std::string_view factor, const PlatformFacts& platform) {
  const auto& on_platform = common_factor(factor).meaning.on_platform;
  return on_platform == nullptr || on_platform(platform);
}

bool has_others(const PlanCell& cell) {
  const auto machines = cell.find("machines");
  return machines != cell.end() && machines->second != common_factor("machines").fallback &&
         platform_has("machines", platform_of(cell));
}

bool topology_has(std::string_view factor, std::string_view machine, const PlanCell& cell) {
  const FactorMeaning& meaning = common_factor(factor).meaning;
  if (machine == kHostMachine) return true;
  const std::string& topology = cell.at("topology");
  const bool is_inside = topology == name_of(Topology::inside);
  const bool has_link = topology == name_of(Topology::joined) || (is_inside && has_others(cell));
  if (meaning.with_cards_alone && is_inside) return false;
  if (meaning.inside_alone && !is_inside) return false;
  if (meaning.with_others_alone && !has_others(cell)) return false;
  return has_link || !meaning.with_link_alone;
}

// Why a factor is set aside, for people: "platform native", "topology inside", "machine host".
std::string place_of(std::string_view factor, std::string_view machine, const PlanCell& cell) {
  if (!machine_has(factor, machine)) return fmt::format("machine {}", machine);
  if (!platform_has(factor, platform_of(cell))) return "platform " + cell.at("platform");
  const bool is_inside = cell.at("topology") == name_of(Topology::inside);
  if (is_inside && common_factor(factor).meaning.with_others_alone) return "machines " + cell.at("machines");
  return "topology " + cell.at("topology");
}

struct SetAside {
  std::vector<std::string> places;  // where, in the order of the plan
  bool means_something = false;     // one of its other values does somewhere
};

// Without the topology, which also says whose CPU is left out as the peer's.
std::vector<std::string> factors_of_the_network() {
  std::vector<std::string> names;
  for (const Factor& factor : common_factors())
    if (factor.meaning.of_the_network) names.emplace_back(factor.name);
  return names;
}

// Leaves the first of the cells whose work has no traffic and that differ in nothing but the network.
std::vector<PlanCell> without_idle_networks(std::vector<PlanCell> cells, std::vector<std::string>& notes) {
  const std::vector<std::string> of_the_network = factors_of_the_network();
  std::map<PlanCell, PlanCell> first;  // by what is left without the network's factors
  std::map<std::string, std::set<std::string>> dropped;
  std::erase_if(cells, [&](const PlanCell& cell) {
    if (find_workload(cell.at("workload"))->has_traffic) return false;
    PlanCell rest = cell;
    for (const std::string& name : of_the_network) rest.erase(name);
    const auto [kept, is_new] = first.emplace(std::move(rest), cell);
    if (is_new) return false;
    for (const std::string& name : of_the_network)
      if (cell.at(name) != kept->second.at(name)) dropped[cell.at("workload")].insert(name);
    return true;
  });
  for (const auto& [workload, factors] : dropped)
    notes.push_back(fmt::format("{} {} no meaning for {}: measured once, with the first of the values named",
                                fmt::join(factors, " and "), factors.size() == 1 ? "has" : "have", workload));
  return cells;
}

std::string advice(std::string_view factor, std::string_view machine) {
  std::vector<std::string> platforms_with;
  for (const PlatformFacts& platform : kPlatformTable)
    if (platform.in_lab && platform_has(factor, platform)) platforms_with.emplace_back(platform.name);
  if (!machine_has(factor, machine))
    return machine == kHostMachine ? "leave it out, or run the study in the lab"
                                   : "leave it out, or run the study with --machine host";
  if (common_factor(factor).meaning.with_cards_alone) return "leave it out, or take topology = \"card\"";
  if (common_factor(factor).meaning.with_link_alone) return "leave it out, or take topology = \"joined\"";
  if (common_factor(factor).meaning.with_others_alone) return "leave it out, or take machines = 2 or more";
  if (common_factor(factor).meaning.inside_alone)
    return fmt::format("leave it out, or take topology = \"inside\" on one of {}",
                       fmt::join(platforms_with, ", "));
  return fmt::format("leave it out, or name a platform that has a choice of it: {}",
                     fmt::join(platforms_with, ", "));
}

}  // namespace

const PlatformFacts& platform_of(const PlanCell& cell) {
  return facts_of(platform_named(cell.at("platform")).value_or(PlatformId::native));
}

bool is_the_labs_alone(std::string_view factor) {
  return !common_factor(factor).meaning.on_host;
}

bool has_meaning(std::string_view factor, std::string_view machine, const PlanCell& cell) {
  if (!machine_has(factor, machine)) return false;
  return platform_has(factor, platform_of(cell)) && topology_has(factor, machine, cell);
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
      if (!platform_has(name, platform_of(named))) out.set_aside[named.at("platform")].insert(name);
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
