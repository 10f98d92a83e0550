#include "study/machine_rules.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <map>

#include "core/readable.h"
#include "study/catalogue.h"
#include "study/meaning.h"
#include "study/plan.h"
#include "study/suggest.h"
#include "subject/program_text.h"

namespace vtax {
namespace {

// A study of the lab keeps what can be asked of a host, too.
void move_to_host(Study& study) {
  std::vector<std::string> left_out;
  for (const Factor& factor : common_factors()) {
    const std::string name(factor.name);
    const bool is_topology = name == "topology";
    if (!is_topology && !is_the_labs_alone(name)) continue;
    const std::vector<std::string> only{is_topology ? "inside" : std::string(factor.fallback)};
    bool was_named = study.factors[name] != only;
    for (StudyWorkload& workload : study.workloads)
      if (const auto own = workload.common.extract(name)) was_named = was_named || own.mapped() != only;
    study.factors[name] = only;
    study.named.erase(name);
    if (was_named && !is_topology) left_out.push_back(fmt::format("{} = {}", name, only.front()));
  }
  // How much work a window is, and on which disk, was named for the lab.
  for (StudyWorkload& workload : study.workloads) {
    workload.named.erase(std::string(amount_of(find_workload(workload.name)->id)));
    workload.named.erase("store");
  }
  if (left_out.empty()) return;
  study.notes.push_back(
      fmt::format("on machine host there is no choice of what the study names for the lab: {}",
                  fmt::join(left_out, ", ")));
}

}  // namespace

Result<> set_machine(std::string_view machine, Study& study) {
  if (std::find(machines().begin(), machines().end(), machine) == machines().end())
    return fail(
        {"", fmt::format("'{}' is not a machine", printable(machine)), suggestion(machine, machines())});
  if (machine == kHostMachine && study.machine != machine) move_to_host(study);
  study.machine = machine;
  return {};
}

void set_host_defaults(Study& study, bool is_quick) {
  if (study.machine != kHostMachine) return;
  const bool is_length_named = study.named.contains("window_ms");
  if (!is_length_named) study.factors["window_ms"] = {is_quick ? "125" : "1000"};
  for (StudyWorkload& workload : study.workloads) {
    const WorkloadKind& kind = *find_workload(workload.name);
    if (kind.has_disk && !workload.named.contains("store")) workload.factors["store"] = {"tmpdir"};
    const std::string amount(amount_of(kind.id));
    const bool is_amount_named = workload.named.contains(amount);
    const bool has_length = is_length_named || workload.named.contains("window_ms");
    if (kind.has_program && has_length)
      study.notes.push_back(
          "the window of the workload 'program' is one run of its client, or what that marks, whatever "
          "window_ms says");
    if (kind.has_compiler || kind.has_program || (is_amount_named && !has_length))
      workload.common["window_ms"] = {"0"};
    if (is_amount_named || values_of(study, workload, "window_ms") == std::vector<std::string>{"0"}) continue;
    const auto values = workload.factors.find(amount);
    if (values == workload.factors.end()) continue;
    if (values->second.size() > 1)
      study.notes.push_back(fmt::format(
          "on machine host '{}' grow until a window of '{}' is as long as window_ms says: the study's {} "
          "values of it are one (--set window_ms=0 keeps them)",
          amount, workload.name, values->second.size()));
    values->second.resize(1);  // from which it grows
  }
}

namespace {

bool names(const Study& study, const StudyWorkload& workload, const char* factor,
           std::initializer_list<std::string_view> values) {
  const auto& named = values_of(study, workload, factor);
  return std::any_of(named.begin(), named.end(), [&](const std::string& value) {
    return std::find(values.begin(), values.end(), value) != values.end();
  });
}

bool names_platform(const Study& study, const StudyWorkload& workload,
                    bool (*is_meant)(const PlatformFacts&)) {
  const auto& named = values_of(study, workload, "platform");
  return std::any_of(named.begin(), named.end(), [&](const std::string& name) {
    return is_meant(facts_of(platform_named(name).value_or(PlatformId::native)));
  });
}

bool names_other_than_usual(const Study& study, const StudyWorkload& workload, const char* factor) {
  const auto& named = values_of(study, workload, factor);
  return std::any_of(named.begin(), named.end(), [&](const std::string& value) {
    return value != find_factor(common_factors(), factor)->fallback;
  });
}

Result<> check_lab_disk(const StudyWorkload& workload, const std::string& what) {
  if (!find_workload(workload.name)->has_disk) return {};
  if (workload.factors.at("store") != std::vector<std::string>{"memory"})
    return fail({what, "'store' can only be memory in the lab: its disk is one of its own",
                 "leave it out, or add --machine host"});
  return {};
}

Result<> check_forwarding(const Study& study, const StudyWorkload& workload, const std::string& what) {
  if (study.machine != kHostMachine && names(study, workload, "forwarding", {"nat"}) &&
      names(study, workload, "topology", {"inside"}) &&
      names_platform(study, workload, [](const PlatformFacts& platform) { return has_guests(platform.id); }))
    return fail({what,
                 "with topology inside the partner of a guest is its driver domain itself, and nothing is to "
                 "be translated",
                 "take topology = \"card\", or another study for forwarding = \"nat\""});
  return {};
}

// Driver domains cannot yet do all that Domain-0 does as one.
Result<> check_driver_domains(const Study& study, const StudyWorkload& workload, const std::string& what) {
  if (!names(study, workload, "driver_domains", {"1", "2"}) ||
      !names_platform(study, workload, find_factor(common_factors(), "driver_domains")->meaning.on_platform))
    return {};
  if (names(study, workload, "topology", {"inside"}))
    return fail({what, "a driver domain has a card: with topology inside the guest's partner is Domain-0",
                 "take topology = \"card\""});
  for (const char* factor : {"forwarding", "driver_interrupts", "sampling_hz", "guest_cpus"})
    if (names_other_than_usual(study, workload, factor))
      return fail({what, fmt::format("with driver domains there is no choice of '{}' yet", factor),
                   "leave it out, or take driver_domains = 0"});
  if (names(study, workload, "driver_cpus", {"3", "4"}))
    return fail({what, "driver domains have one CPU each, and share two at most",
                 "take driver_cpus = 1 or 2, or driver_domains = 0"});
  if (names(study, workload, "driver_domains", {"1"}) && names(study, workload, "cards", {"2"}))
    return fail({what, "a driver domain has one card, so one of them cannot have 'cards' = 2",
                 "take driver_domains = 2, which has two cards, beside 0"});
  if (find_workload(workload.name)->has_files())
    return fail(
        {what,
         fmt::format("the guests' image with the files of '{}' is more than a driver domain has memory for",
                     workload.name),
         "take driver_domains = 0"});
  constexpr int kMostDomains = 7;  // that the probe tells from Domain-0
  for (const std::string& guests : values_of(study, workload, "guests"))
    for (const std::string& drivers : values_of(study, workload, "driver_domains"))
      if (drivers != "0" && std::stoi(guests) + std::stoi(drivers) > kMostDomains)
        return fail({what,
                     fmt::format("{} guests and {} driver domains are more than {} domains", guests, drivers,
                                 kMostDomains),
                     "take fewer guests"});
  if (names(study, workload, "scheduler", {"null"}))
    return fail({what, "Xen's scheduler null gives no two domains one CPU, and Domain-0 shares its own",
                 "take another scheduler, or driver_domains = 0"});
  return {};
}

// Whose ends are in several machines: of one connection's traffic that the system under test begins.
// `where`: for people; `instead`: what has all that is refused here.
Result<> check_between(const Study& study, const StudyWorkload& workload, const std::string& what,
                       std::initializer_list<const char*> no_choice, const std::string& where,
                       const std::string& instead) {
  const WorkloadKind& kind = *find_workload(workload.name);
  const auto direction = workload.factors.find("direction");
  if (!kind.has_traffic || kind.has_program || kind.id == WorkloadId::http ||
      direction == workload.factors.end())
    return fail({what, fmt::format("'{}' has no end in another machine", workload.name),
                 fmt::format("take {}, or a workload of one connection's traffic", instead)});
  for (const std::string& value : direction->second)
    if (value != "send")
      return fail({what, fmt::format("with {} the system under test begins each exchange", where),
                   fmt::format("take direction = \"send\", or {}", instead)});
  for (const char* factor : no_choice)
    if (names_other_than_usual(study, workload, factor))
      return fail({what, fmt::format("with {} there is no choice of '{}' yet", where, factor),
                   fmt::format("leave it out, or take {}", instead)});
  return {};
}

// What a peer in a machine of its own cannot do yet. The window is marked by the system under test, where it
// is counted, so that has to begin each exchange.
Result<> check_joined(const Study& study, const StudyWorkload& workload, const std::string& what) {
  if (study.machine == kHostMachine || !names(study, workload, "topology", {"joined"})) return {};
  return check_between(study, workload, what, {"driver_domains", "cards", "loads", "prices"},
                       "topology joined", "topology = \"card\"");
}

// Likewise, of machines whose guests all ask the first one's driver domain.
Result<> check_machines(const Study& study, const StudyWorkload& workload, const std::string& what) {
  if (study.machine == kHostMachine || !names_other_than_usual(study, workload, "machines")) return {};
  if (Result<> between =
          check_between(study, workload, what,
                        {"driver_domains", "driver_cpus", "driver_interrupts", "loads", "prices",
                         "forwarding", "sampling_hz", "softload_percent", "hardware_counters"},
                        "several machines", "machines = 1");
      !between)
    return between;
  for (const std::string& machines : values_of(study, workload, "machines"))
    for (const std::string& guests : values_of(study, workload, "guests"))
      if (machines != "1" && std::stoi(machines) * std::stoi(guests) > kMostJoinedGuests)
        return fail({what,
                     fmt::format("{} machines with {} guests each are more than {} guests", machines, guests,
                                 kMostJoinedGuests),
                     "take fewer of either"});
  return {};
}

// Events are priced at addresses, whoever executes them.
Result<> check_guest_kernel(const Study& study, const StudyWorkload& workload, const std::string& what) {
  if (!names_other_than_usual(study, workload, "guest_kernel") ||
      !names_other_than_usual(study, workload, "prices"))
    return {};
  return fail({what,
               "where guests have a kernel of their own, nothing tells whose event it is that has a price",
               "take guest_kernel = \"same\", or prices = \"off\""});
}

// Weights and caps, memory and what the balloon leaves of it.
Result<> check_shares(const Study& study, const StudyWorkload& workload, const std::string& what) {
  constexpr int kLeastKeptMib = 112;  // with 96 one of Xen's has died for want of memory
  if (names(study, workload, "scheduler", {"rtds", "null"}) &&
      (names_other_than_usual(study, workload, "guest_weights") ||
       names_other_than_usual(study, workload, "guest_cap_percent")))
    return fail({what, "Xen's schedulers rtds and null have neither weights nor caps",
                 "take scheduler credit2 or credit"});
  for (const std::string& kept : values_of(study, workload, "balloon_mib")) {
    if (kept == "0") continue;
    if (std::stoi(kept) < kLeastKeptMib)
      return fail({what, fmt::format("a guest cannot live with {} MiB", kept),
                   fmt::format("take balloon_mib = 0, or {} and more", kLeastKeptMib)});
    for (const std::string& memory : values_of(study, workload, "guest_memory_mib"))
      if (std::stoi(kept) > std::stoi(memory))
        return fail({what, fmt::format("a guest of {} MiB cannot keep {}", memory, kept),
                     "a balloon only takes: name less than guest_memory_mib"});
  }
  return {};
}

Result<> check_texts(const StudyWorkload& workload, const std::string& what) {
  if (!find_workload(workload.name)->has_program) return {};
  // Every combination: each of the texts means something beside the others.
  std::vector<std::map<std::string, std::string>> cells{{{"workload", workload.name}}};
  for (const Factor& factor : find_workload(workload.name)->factors) {
    const std::string name(factor.name);
    std::vector<std::map<std::string, std::string>> more;
    for (const auto& cell : cells)
      for (const std::string& value : workload.factors.at(name)) {
        more.push_back(cell);
        more.back()[name] = value;
      }
    cells = std::move(more);
    if (cells.size() > kMostTrials) break;  // which make_plan() says
  }
  for (const auto& cell : cells) {
    const auto trial = trial_spec_of(cell);
    if (!trial) return fail(trial.error());
    if (auto good = check_program(*trial); !good)
      return fail({what, good.error().what + ": " + good.error().why, good.error().next});
  }
  for (const std::string& files : workload.factors.at("files")) {
    std::error_code error;
    if (!files.empty() && !std::filesystem::exists(folder_of_files(files), error))
      return fail({what, fmt::format("'files' is {}, which is not there", printable(files)),
                   "give a path from where vtax is started, or a whole one"});
  }
  return {};
}

Result<> check_workload(const Study& study, const StudyWorkload& workload, const std::string& what) {
  Result<> good = check_forwarding(study, workload, what);
  if (good) good = check_driver_domains(study, workload, what);
  if (good) good = check_joined(study, workload, what);
  if (good) good = check_machines(study, workload, what);
  if (good) good = check_guest_kernel(study, workload, what);
  if (good) good = check_shares(study, workload, what);
  if (good) good = check_texts(workload, what);
  if (!good) return good;
  if (study.machine == kHostMachine) {
    const auto& topologies = values_of(study, workload, "topology");
    if (std::any_of(topologies.begin(), topologies.end(), [](const auto& t) { return t != "inside"; }))
      return fail(
          {what,
           "on machine host only topology 'inside' can be measured: it has no two cards that are joined",
           "set topology=inside"});
    return {};
  }
  return check_lab_disk(workload, what);
}

}  // namespace

Result<> check_machine(const Study& study, const std::string& what) {
  for (const StudyWorkload& workload : study.workloads)
    if (auto checked = check_workload(study, workload, what); !checked) return checked;
  return {};
}

}  // namespace vtax
