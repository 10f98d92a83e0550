#include "study/possible.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "study/catalogue.h"
#include "study/machine_rules.h"

namespace vtax {
namespace {

struct Obstacle {
  std::string why;
  std::string next;
};

std::optional<Obstacle> obstacle_on_host(const PlanCell& cell) {
  const std::string& workload = cell.at("workload");
  const std::string& platform = cell.at("platform");
  const PlatformFacts& facts = platform_of(cell);
  const WorkloadKind& kind = *find_workload(workload);
  if (cell.at("forwarding") == name_of(Forwarding::vf))
    return Obstacle{"on machine host no guest is given a function of a card",
                    "take another forwarding than vf, or run the study in the lab"};
  if (cell.at("forwarding") == name_of(Forwarding::macvtap))
    return Obstacle{"on machine host no guest has a macvtap yet",
                    "take another forwarding than macvtap, or run the study in the lab"};
  if (kind.has_compiler)
    return Obstacle{"on machine host the workload 'compile' is not part of studies",
                    "run it by hand: vtax workload --help"};
  // A guest's disk there would be a device of the user's, which nobody has named.
  if (kind.has_disk && facts.runner != GuestRunner::none)
    return Obstacle{
        fmt::format("on machine host platform '{}' has no disk for the workload 'disk'", platform),
        "name native and container, or run the study in the lab"};
  if (facts.id == PlatformId::native &&
      cell.at("link_mbps") != find_factor(common_factors(), "link_mbps")->fallback)
    return Obstacle{"on machine host platform 'native' has no link to shape: its ends are joined by lo",
                    "name other platforms, or leave 'link_mbps' out"};
  return std::nullopt;
}

// A macvtap is a tap, and only KVM's QEMU moves packets between taps and its guests.
std::optional<Obstacle> obstacle_to_macvtaps(const PlanCell& cell) {
  if (cell.at("forwarding") != name_of(Forwarding::macvtap)) return std::nullopt;
  const PlatformFacts& facts = platform_of(cell);
  if (!has_kvm(facts.id))
    return Obstacle{fmt::format("on platform '{}' no guest can have a macvtap{}", facts.name,
                                has_xen(facts.id) ? ": Xen has no backend for it" : ""),
                    "name kvm or kvm-qemu, or another forwarding than macvtap"};
  if (cell.at("topology") != name_of(Topology::card))
    return Obstacle{fmt::format("on topology {} there is no card that guests could have a macvtap on",
                                cell.at("topology")),
                    "take topology = \"card\", or another forwarding than macvtap"};
  return std::nullopt;
}

// Packets that no driver domain passes on it cannot shape, either.
std::optional<Obstacle> obstacle_to_functions(const PlanCell& cell) {
  if (cell.at("forwarding") != name_of(Forwarding::vf)) return std::nullopt;
  const PlatformFacts& facts = platform_of(cell);
  if (!facts.takes_functions) {
    std::vector<std::string_view> takers;
    for (const PlatformFacts& platform : kPlatformTable)
      if (platform.takes_functions) takers.push_back(platform.name);
    return Obstacle{fmt::format("on platform '{}' nobody is given a function of a card", facts.name),
                    fmt::format("name {}, or another forwarding than vf", fmt::join(takers, " or "))};
  }
  if (cell.at("topology") != name_of(Topology::card))
    return Obstacle{
        fmt::format("on topology {} there is no card whose functions guests have", cell.at("topology")),
        "take topology = \"card\", or another forwarding than vf"};
  for (const char* name : {"cards", "driver_domains", "link_mbps", "driver_interrupts", "guest_cpus"})
    if (cell.at(name) != find_factor(common_factors(), name)->fallback)
      return Obstacle{fmt::format("with forwarding vf there is no choice of '{}' yet", name),
                      "leave it out, or take another forwarding"};
  return std::nullopt;
}

std::optional<Obstacle> obstacle_in_lab(const PlanCell& cell) {
  const std::string& workload = cell.at("workload");
  const std::string& platform = cell.at("platform");
  const PlatformFacts& facts = platform_of(cell);
  const WorkloadKind& kind = *find_workload(workload);
  if (!facts.in_lab)
    return Obstacle{fmt::format("platform '{}' runs on machine host alone", platform),
                    "add --machine host, or machine = \"host\" in the study file"};
  if (auto obstacle = obstacle_to_macvtaps(cell)) return obstacle;
  if (auto obstacle = obstacle_to_functions(cell)) return obstacle;
  // The firmware of a fully virtualised guest would read them byte by byte from a program.
  if (kind.has_files() && facts.device_model)
    return Obstacle{
        fmt::format("platform '{}' has no room for the files of the workload '{}'", platform, workload),
        "name xen-pv or xen-pvh"};
  if (kind.has_disk && facts.id == PlatformId::xen_hvm && cell.at("operation") != "write")
    return Obstacle{
        "the emulated disk of platform 'xen-hvm' is behind Domain-0's page cache, which holds what "
        "was just written: nothing would be read from the disk",
        "take operation = \"write\", or name other platforms"};
  return std::nullopt;
}

}  // namespace

Result<std::vector<PlanCell>> only_possible(std::string_view machine, std::vector<PlanCell> pass,
                                            const std::string& what, std::vector<std::string>& notes) {
  std::vector<PlanCell> possible;
  std::vector<std::pair<Obstacle, int>> left_out;  // with how many cells
  for (PlanCell& cell : pass) {
    auto obstacle = machine == kHostMachine ? obstacle_on_host(cell) : obstacle_in_lab(cell);
    if (!obstacle) {
      possible.push_back(std::move(cell));
      continue;
    }
    const auto known = std::find_if(left_out.begin(), left_out.end(),
                                    [&](const auto& one) { return one.first.why == obstacle->why; });
    if (known != left_out.end())
      ++known->second;
    else
      left_out.emplace_back(std::move(*obstacle), 1);
  }
  if (possible.empty() && !left_out.empty())
    return fail({what, left_out.front().first.why, left_out.front().first.next});
  for (const auto& [obstacle, cells] : left_out)
    notes.push_back(fmt::format("{} cell{} left out: {}", cells, cells == 1 ? "" : "s", obstacle.why));
  return possible;
}

}  // namespace vtax
