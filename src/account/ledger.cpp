#include "account/ledger.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <tuple>
#include <unordered_map>
#include <utility>

#include "account/event_watch.h"
#include "account/slices.h"
#include "core/sha256.h"

namespace vtax {
namespace {

constexpr std::uint64_t kUnchargedPartsPerMillion = 1000;  // 0.1 %

constexpr std::array<const char*, probe::kCacheCounts> kCacheNames = {"memory_accesses", "l1i_misses",
                                                                      "l1d_misses", "l2_misses", "l3_misses"};

struct Owner {
  std::string domain;
  int number = -1;  // -1: unknown, -2: the hypervisor's idle virtual CPU
};

constexpr int kUnknown = -1, kIdle = -2;

struct Payer {
  std::string domain;
  Layer layer;
  Part part;
};

// KVM's host is whatever runs outside its guests.
int domain_of(const ProbeWindow::Context& context, const AddressMap& map) {
  const bool is_guest = map.has_hypervisor || (map.nested && context.vcpu != 0);
  return is_guest ? context.domain : 0;
}

// The contexts' owners. A context without announcement is idle if it never left the hypervisor.
std::vector<Owner> owners_of(const ProbeWindow& window, const ChargingRules& charging) {
  std::vector<bool> left_hypervisor(window.contexts.size(), false);
  for (const auto& row : window.rows)
    if (region_of(row.address, charging.map.has_hypervisor) != Region::hypervisor)
      left_hypervisor[row.context] = true;

  std::vector<Owner> owners;
  for (std::size_t i = 0; i < window.contexts.size(); ++i) {
    const int announced = domain_of(window.contexts[i], charging.map);
    if (announced >= 0 && static_cast<std::size_t>(announced) < charging.domains.size())
      owners.push_back({charging.domains[static_cast<std::size_t>(announced)], announced});
    else if (!left_hypervisor[i])
      owners.push_back({"idle", kIdle});
    else
      owners.push_back({"unknown", kUnknown});
  }
  return owners;
}

// KVM's own code is the hypervisor; what else its host executes is the driver domain's.
bool is_kvm(const Place& place) {
  return place.image == "kvm" || place.image == "kvm_amd";
}

Payer payer_of(GuestAddress address, const Place& place, const Owner& owner, const ChargingRules& charging) {
  if (owner.number == kUnknown) return {owner.domain, Layer::uncharged, Part::none};
  if (owner.number == kIdle) return {owner.domain, Layer::idle, Part::none};
  const Region region = region_of(address, charging.map.has_hypervisor);
  if (region == Region::hypervisor) return {owner.domain, Layer::hypervisor, Part::none};
  if (region == Region::kernel && charging.map.is_kernel_idle(address, owner.domain))
    return {owner.domain, Layer::idle, Part::none};
  const bool program = region == Region::program;
  if (charging.map.nested && owner.number == 0 && is_kvm(place))
    return {owner.domain, Layer::hypervisor, Part::none};
  if (charging.drivers.contains(owner.number))
    return {owner.domain, Layer::driver, program ? Part::program : Part::kernel};
  return {owner.domain, program ? Layer::program : Layer::kernel, Part::none};
}

std::string digest_of(const ProbeWindow& window, const std::vector<Owner>& owners) {
  std::map<std::tuple<int, std::string, std::uint64_t>, std::int64_t> counts;
  for (const auto& row : window.rows)
    if (row.instructions != 0)
      counts[{window.contexts[row.context].cpu, owners[row.context].domain, row.address.value}] +=
          row.instructions;
  Sha256 hash;
  for (const auto& [key, value] : counts)
    hash.add(fmt::format("{} {} {:x} {}\n", std::get<0>(key), std::get<1>(key), std::get<2>(key), value));
  std::map<std::tuple<int, std::string, std::uint32_t>, std::uint64_t> events;
  for (const auto& event : window.events)
    events[{window.contexts[event.context].cpu, owners[event.context].domain,
            static_cast<std::uint32_t>(event.event)}] += event.count;
  for (const auto& sum : window.sums)
    events[{window.contexts[sum.context].cpu, owners[sum.context].domain, probe::kEventKinds + sum.number}] +=
        sum.value;
  for (const auto& [key, value] : events)
    hash.add(fmt::format("{} {} event {} {}\n", std::get<0>(key), std::get<1>(key), std::get<2>(key), value));
  std::map<std::tuple<int, std::string, std::uint32_t>, std::uint64_t> cached;
  for (const auto& row : window.cache_rows) {
    const std::uint32_t context = window.rows[row.row].context;
    cached[{window.contexts[context].cpu, owners[context].domain, static_cast<std::uint32_t>(row.count)}] +=
        row.value;
  }
  for (const auto& [key, value] : cached)
    hash.add(fmt::format("{} {} cache {} {}\n", std::get<0>(key), std::get<1>(key), std::get<2>(key), value));
  for (const auto& latency : window.latencies)
    hash.add(fmt::format("latency {} {}\n", latency.guest, latency.ns));
  hash.add(fmt::format("total {}\ntime {}\n", window.total.value, window.ns));
  return hash.hex();
}

// Of Xen's idle virtual CPUs each CPU has one, of that number.
Schedule schedule_of(const ProbeWindow& window, const std::vector<Owner>& owners,
                     const ChargingRules& charging) {
  Schedule schedule;
  schedule.left_out = window.stays_left_out;
  // By the hypervisor's pointer; before a CPU's first switch that of its virtual CPU is not known.
  std::map<std::pair<std::uint64_t, int>, std::uint32_t> places;
  const auto key = [](const ProbeWindow::Context& context) {
    return std::pair(context.vcpu, context.vcpu == 0 ? context.cpu : -1);
  };
  std::map<std::string, int> seen;  // by domain
  for (std::size_t i = 0; i < window.contexts.size() && !window.stays.empty(); ++i) {
    const ProbeWindow::Context& context = window.contexts[i];
    const auto [place, is_new] =
        places.try_emplace(key(context), static_cast<std::uint32_t>(schedule.vcpus.size()));
    if (!is_new) continue;
    const bool is_idle = owners[i].number == kIdle;
    const bool is_peer = !is_idle && charging.peer_cpus.contains(context.cpu);
    const std::string domain = is_peer ? "peer" : owners[i].domain;
    schedule.vcpus.push_back({domain, is_idle ? context.cpu : seen[domain]++});
  }
  for (const ProbeWindow::Stay& stay : window.stays) {
    const ProbeWindow::Context& context = window.contexts[stay.context];
    schedule.stays.push_back(
        {context.cpu, places.at(key(context)), stay.begin_ns, stay.end_ns, stay.woke_ns});
  }
  std::sort(schedule.stays.begin(), schedule.stays.end(), [](const auto& a, const auto& b) {
    return std::pair(a.begin_ns, a.cpu) < std::pair(b.begin_ns, b.cpu);
  });
  return schedule;
}

struct EntryKey {
  int cpu;
  std::string domain;
  Layer layer;
  Part part;
  std::string kind;
  auto operator<=>(const EntryKey&) const = default;
};
using FunctionKey = std::tuple<std::string, Layer, Part, std::string, std::string>;

struct FunctionCounts {
  std::int64_t instructions = 0;
  std::optional<std::uint64_t> calls = {};
};

void charge_function(const ProbeWindow::Row& row, const Place& place, FunctionCounts& counts) {
  counts.instructions += row.instructions;
  if (!place.begin || row.length == 0) return;
  counts.calls = counts.calls.value_or(0) + (row.address == *place.begin ? row.executions() : 0);
}

// An event belongs to the domain on whose account it happened; its layer is where it is handled.
class Events {
 public:
  Events(const ProbeWindow& window, const ChargingRules& charging, const std::vector<Owner>& owners)
      : window_(window), charging_(charging), owners_(owners), watch_(charging.map) {}

  void add(const ProbeWindow::Row& row) {
    watch_.note(row, owners_[row.context].domain);
    for (const EventWatch::Count& count : watch_.counts_of(row, owners_[row.context].domain))
      add(row.context, count);
  }
  void add(const ProbeWindow::EventCount& event) {
    for (std::size_t kind = 0; kind < event_kinds().size(); ++kind)
      if (event_kinds()[kind].by_probe == event.event) add(event.context, {kind, event.count});
  }
  void add(const ProbeWindow::Sum& sum) {
    const EventWatch::Count count = watch_.count_of(sum, owners_[sum.context].domain);
    if (count.kind < event_kinds().size()) add(sum.context, count);
  }

  // What was watched for and did not happen is a zero of the first domain's; what nobody watched for has no
  // entry.
  void write_to(std::map<EntryKey, std::int64_t>& entries) {
    for (std::size_t kind = 0; kind < event_kinds().size(); ++kind) {
      if (event_kinds()[kind].by_probe || sums_.contains(kind) || !watch_.is_known(kind)) continue;
      sums_[kind][key_of(kind, 0, {charging_.domains.empty() ? "unknown" : charging_.domains.front(), 0})] =
          0;
    }
    for (const auto& [kind, sums] : sums_)
      for (const auto& [key, value] : sums) entries[key] += static_cast<std::int64_t>(value);
  }

 private:
  void add(std::uint32_t context, const EventWatch::Count& count) {
    const int cpu = window_.contexts[context].cpu;
    if (charging_.peer_cpus.contains(cpu)) return;
    sums_[count.kind][key_of(count.kind, cpu, owners_[context])] += count.value;
  }

  [[nodiscard]] EntryKey key_of(std::size_t kind, int cpu, const Owner& owner) const {
    const EventKind& event = event_kinds()[kind];
    const bool by_hypervisor = event.handler == Handler::hypervisor ||
                               (event.handler == Handler::hypervisor_if_any && charging_.map.has_hypervisor);
    Payer payer = payer_of(by_hypervisor && charging_.map.has_hypervisor ? GuestAddress(0xffff82d000000000)
                                                                         : GuestAddress(0xffffffff80000000),
                           {}, owner, charging_);
    if (by_hypervisor && charging_.map.nested) payer.layer = Layer::hypervisor;
    return {cpu, payer.domain, payer.layer, payer.part, std::string(event.name)};
  }

  const ProbeWindow& window_;
  const ChargingRules& charging_;
  const std::vector<Owner>& owners_;
  EventWatch watch_;
  std::map<std::size_t, std::map<EntryKey, std::uint64_t>> sums_;  // by kind
};

Error contradiction(std::string why) {
  return {"cannot balance the window's ledger", std::move(why),
          "run `vtax doctor`; if it finds nothing, this QEMU does not count right: please report it with its "
          "version",
          ExitCode::trial_failed};
}

}  // namespace

Result<Ledger> charge(const ProbeWindow& window, const ChargingRules& charging) {
  if (window.unexplained != 0)
    return fail(contradiction(fmt::format(
        "in {} turns of its CPUs the emulator executed other numbers of instructions than were seen",
        window.unexplained)));
  const std::vector<Owner> owners = owners_of(window, charging);
  std::map<EntryKey, std::int64_t> entries;
  std::map<FunctionKey, FunctionCounts> functions;
  std::map<std::tuple<std::uint64_t, std::string, int>, Place> places;
  std::int64_t charged = 0;
  std::int64_t peer = 0;
  std::int64_t uncharged = 0;
  SliceRows sliced(window);
  Events events(window, charging, owners);

  for (const auto& row : window.rows) {
    const int cpu = window.contexts[row.context].cpu;
    if (charging.peer_cpus.contains(cpu)) {
      peer += row.instructions;
      sliced.leave_out();
      continue;
    }
    const Owner& owner = owners[row.context];
    events.add(row);
    auto [place, is_new] = places.try_emplace({row.address.value, owner.domain, cpu});
    if (is_new) place->second = charging.map.place_of(row.address, owner.domain, cpu);
    const Payer payer = payer_of(row.address, place->second, owner, charging);
    charged += row.instructions;
    if (payer.layer == Layer::uncharged) uncharged += row.instructions;
    entries[{cpu, payer.domain, payer.layer, payer.part, "instructions"}] += row.instructions;
    sliced.charge({cpu, payer.domain, payer.layer, payer.part});
    charge_function(
        row, place->second,
        functions[{payer.domain, payer.layer, payer.part, place->second.image, place->second.function}]);
  }

  const std::int64_t rest = static_cast<std::int64_t>(window.total.value) - charged - peer;
  if (rest < 0)
    return fail(contradiction(fmt::format("{} instructions more were charged than executed", -rest)));
  if (rest > 0) {
    uncharged += rest;
    charged += rest;
    entries[{LedgerEntry::kUnknownCpu, "unknown", Layer::uncharged, Part::none, "instructions"}] += rest;
    sliced.charge_rest({LedgerEntry::kUnknownCpu, "unknown", Layer::uncharged, Part::none}, rest);
    functions[{"unknown", Layer::uncharged, Part::none, "unknown", "unknown"}].instructions += rest;
  }
  if (uncharged * 1000000 > charged * static_cast<std::int64_t>(kUnchargedPartsPerMillion))
    return fail(contradiction(fmt::format("{} of {} instructions could not be charged", uncharged, charged)));

  for (const auto& row : window.cache_rows) {
    const SliceRows::Payer* const payer = sliced.payer_of(row.row);
    if (payer == nullptr) continue;
    const auto& [cpu, domain, layer, part] = *payer;
    entries[{cpu, domain, layer, part, kCacheNames[static_cast<std::size_t>(row.count)]}] +=
        static_cast<std::int64_t>(row.value);
  }

  for (const auto& event : window.events) events.add(event);
  for (const auto& sum : window.sums) events.add(sum);
  events.write_to(entries);

  Ledger ledger;
  ledger.machine_total = Instructions(static_cast<std::uint64_t>(charged));
  ledger.peer_total = Instructions(static_cast<std::uint64_t>(peer));
  ledger.digest = digest_of(window, owners);
  ledger.timeline = sliced.timeline();
  ledger.schedule = schedule_of(window, owners, charging);
  for (const auto& [key, value] : entries) {
    if (value < 0) return fail(contradiction("an entry is negative"));
    if (value > 0 || key.kind != "instructions")
      ledger.entries.push_back(
          {key.cpu, key.domain, key.layer, key.part, key.kind, static_cast<std::uint64_t>(value)});
  }
  for (const auto& [key, value] : functions)
    if (value.instructions > 0)
      ledger.functions.push_back({std::get<0>(key), std::get<1>(key), std::get<2>(key), std::get<3>(key),
                                  std::get<4>(key),
                                  Instructions(static_cast<std::uint64_t>(value.instructions)), value.calls});
  std::stable_sort(
      ledger.functions.begin(), ledger.functions.end(),
      [](const FunctionCost& a, const FunctionCost& b) { return a.instructions > b.instructions; });
  return ledger;
}

}  // namespace vtax
