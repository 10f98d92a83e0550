// Every placement that a study may name: the work is done whole, the ledger balances, and a rerun is the
// same.

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "core/files.h"
#include "core/statistics.h"
#include "tests/lab/lab_bench.h"

namespace vtax::lab {
namespace {

using FactorMap = std::map<std::string, std::string>;

struct Placed {
  const char* name;
  FactorMap factors;  // besides those of small()
};
void PrintTo(const Placed& placed, std::ostream* out) {
  *out << placed.name;
}

Trial small(const FactorMap& changes) {
  Trial trial;
  trial.factors = {{"topology", "card"},     {"workload", "tcp-stream"}, {"direction", "receive"},
                   {"offloads", "off"},      {"bytes", "262144"},        {"write_bytes", "1448"},
                   {"warmup_bytes", "65536"}};
  for (const auto& [key, value] : changes) trial.factors[key] = value;
  return trial;
}

Trial looping(const FactorMap& changes) {
  Trial trial;
  trial.factors = {
      {"platform", "xen-pv"}, {"topology", "card"}, {"workload", "cpu-loop"}, {"iterations", "10000000"}};
  for (const auto& [key, value] : changes) trial.factors[key] = value;
  return trial;
}

std::uint64_t instructions(const Trial& trial, const std::string& domain, const std::set<Layer>& layers = {},
                           int cpu = -2) {
  std::uint64_t sum = 0;
  for (const LedgerEntry& entry : trial.ledger)
    if (entry.kind == "instructions" && entry.domain == domain &&
        (layers.empty() || layers.contains(entry.layer)) && (cpu == -2 || entry.cpu == cpu))
      sum += entry.value;
  return sum;
}

std::uint64_t cost_of(const Trial& trial, const std::string& domain, const std::string& function) {
  std::uint64_t sum = 0;
  for (const FunctionCost& one : trial.functions)
    if (one.domain == domain && one.function.find(function) != std::string::npos)
      sum += one.instructions.value;
  return sum;
}

Trial run_anew(Trial trial) {
  const auto kind = machine_of(trial.factors);
  if (!kind) {
    ADD_FAILURE() << kind.error().text();
    return trial;
  }
  const LabMachine& machine = LabBench::get().machine(kind->image, kind->shape);
  if (const auto done = machine.run(trial, quiet); !done) ADD_FAILURE() << done.error().text();
  return trial;
}

Trial run(const Trial& trial) {
  return LabBench::get().measured(trial.factors);
}

// One machine for everything with two cards, two CPUs of the driver domain and two guests.
FactorMap two_cards(const FactorMap& more) {
  FactorMap out = {{"platform", "xen-pv"}, {"guests", "2"}, {"cards", "2"}, {"driver_cpus", "2"}};
  for (const auto& [key, value] : more) out[key] = value;
  return out;
}

FactorMap driver_domains(const char* number, const FactorMap& more = {}) {
  FactorMap out = {{"platform", "xen-pv"}, {"driver_domains", number}};
  for (const auto& [key, value] : more) out[key] = value;
  return out;
}

// The same of KVM, whose guests have more memory than usual and a balloon that takes it again.
FactorMap two_cards_of_kvm(const FactorMap& more) {
  FactorMap out = two_cards({{"platform", "kvm"}, {"guest_memory_mib", "256"}, {"balloon_mib", "128"}});
  for (const auto& [key, value] : more) out[key] = value;
  return out;
}

// Cells of which more than one test asks something.
FactorMap guest_on(const char* cpu) {
  return {{"platform", "xen-pv"}, {"guest_cpu", cpu}};
}

// At one rate: unshaped, each run settles into a batching of its own, which outweighs a translation.
FactorMap forwarded(const char* way) {
  return {{"platform", "xen-pv"}, {"forwarding", way}, {"link_mbps", "100"}};
}

FactorMap two_guests_of_kvm(const std::string& cpu) {
  FactorMap out = {{"platform", "kvm"}, {"guests", "2"}, {"guest_cpu", cpu}};
  if (cpu == "own") out.insert({{"loads", "opposed"}, {"softload_percent", "50"}});
  if (cpu == "driver") out["link_mbps"] = "100";
  return out;
}

class Placement : public testing::TestWithParam<Placed> {
 protected:
  void SetUp() override { NEED_LAB(lab_machine_of(GetParam().factors.at("platform"))); }
};

TEST_P(Placement, BalancesAndRepeats) {
  const Trial first = run(small(GetParam().factors)), again = run_anew(small(GetParam().factors));
  if (HasFailure()) return;
  EXPECT_EQ(first.digest.size(), 64U);
  EXPECT_EQ(first.digest, again.digest);
  EXPECT_EQ(first.guests, again.guests);
  std::uint64_t entries = 0, uncharged = 0;
  for (const LedgerEntry& entry : first.ledger) {
    if (entry.kind != "instructions") continue;
    entries += entry.value;
    if (entry.layer == Layer::uncharged) uncharged += entry.value;
  }
  EXPECT_GT(entries, 1'000'000U);
  EXPECT_EQ(entries, first.machine_total.value);
  EXPECT_LE(uncharged * 1000, entries);

  const auto& factors = GetParam().factors;
  const std::size_t guests = factors.contains("guests") ? std::stoul(factors.at("guests")) : 1;
  ASSERT_EQ(first.guests.size(), guests);
  std::uint64_t bytes = 0;
  for (const GuestWork& guest : first.guests) {
    bytes += guest.bytes.value;
    EXPECT_GT(guest.virtual_ns, 0U);
    // The guest's own clock, which it reads just outside the window.
    EXPECT_LE(guest.virtual_ns, first.window_virtual_ns + 100'000);
    if (guest.guest.starts_with("guest")) {
      EXPECT_GT(instructions(first, guest.guest), 100'000U) << guest.guest;
    }
  }
  EXPECT_EQ(bytes, first.work.bytes.value);
  if (factors.contains("topology")) return;
  // What one card sends the other receives, though several ends share them; wires come in their order.
  std::vector<const DeviceCount*> a, b;
  for (const DeviceCount& device : first.devices) {
    if (device.side == "peer") b.push_back(&device);
    if (device.side == "system" && !device.domain.starts_with("guest") && device.device.starts_with("e"))
      a.push_back(&device);
  }
  const bool two_wires = factors.contains("cards") ||
                         (factors.contains("driver_domains") && factors.at("driver_domains") == "2");
  ASSERT_EQ(a.size(), two_wires ? 2U : 1U);
  ASSERT_EQ(b.size(), a.size());
  for (std::size_t wire = 0; wire < a.size(); ++wire) {
    EXPECT_GT(b[wire]->sent.value, 0U);
    EXPECT_EQ(a[wire]->received, b[wire]->sent);
    EXPECT_EQ(b[wire]->received, a[wire]->sent);
  }
}

INSTANTIATE_TEST_SUITE_P(
    Of, Placement,
    testing::Values(
        Placed{"TwoProcessesAndSoftload",
               {{"platform", "native"}, {"guests", "2"}, {"softload_percent", "50"}}},
        Placed{"TwoProcessesInside", {{"platform", "native"}, {"guests", "2"}, {"topology", "inside"}}},
        Placed{"TwoContainers", {{"platform", "container"}, {"guests", "2"}, {"loads", "opposed"}}},
        Placed{"TwoContainersInside", {{"platform", "container"}, {"guests", "2"}, {"topology", "inside"}}},
        Placed{"TwoGuests", {{"platform", "xen-pv"}, {"guests", "2"}, {"loads", "halving"}}},
        Placed{"TwoGuestsInside",
               {{"platform", "xen-pv"}, {"guests", "2"}, {"loads", "opposed"}, {"topology", "inside"}}},
        Placed{"TwoGuestsOneCpuAndWindows",
               {{"platform", "xen-pv"},
                {"guests", "2"},
                {"guest_cpu", "together"},
                {"system_window", "16384"},
                {"peer_window", "65536"}}},
        Placed{"GuestOnDriversCpu", guest_on("driver")}, Placed{"Link", forwarded("bridge")},
        Placed{"RoutedContainersInside",
               {{"platform", "container"}, {"guests", "2"}, {"forwarding", "route"}, {"topology", "inside"}}},
        Placed{"TranslatedContainers",
               {{"platform", "container"}, {"guests", "2"}, {"forwarding", "nat"}, {"loads", "opposed"}}},
        Placed{"TwoCardsOfProcesses", {{"platform", "native"}, {"guests", "2"}, {"cards", "2"}}},
        Placed{"TwoCardsOfContainers",
               {{"platform", "container"}, {"guests", "3"}, {"cards", "2"}, {"forwarding", "nat"}}},
        Placed{"RoutedGuestInside",
               {{"platform", "xen-pv"}, {"forwarding", "route"}, {"topology", "inside"}}},
        Placed{"RoutedGuestAndSoftload",
               {{"platform", "xen-pv"}, {"forwarding", "route"}, {"softload_percent", "90"}}},
        Placed{"TranslatedGuests",
               {{"platform", "xen-pv"}, {"guests", "2"}, {"forwarding", "nat"}, {"loads", "opposed"}}},
        Placed{"TwoCardsByCard", two_cards({{"driver_interrupts", "by-card"}, {"loads", "opposed"}})},
        Placed{"TwoCardsRouted", two_cards({{"driver_interrupts", "apart"}, {"forwarding", "route"}})},
        Placed{"TwoGuestsOfTwoCpus",
               {{"platform", "xen-pv"},
                {"guests", "2"},
                {"guest_cpus", "2"},
                {"driver_cpus", "4"},
                {"loads", "opposed"}}},
        Placed{"GuestOfKvmWithThreeCpus", {{"platform", "kvm"}, {"guest_cpus", "3"}, {"driver_cpus", "3"}}},
        Placed{"TwoDriverDomains",
               driver_domains(
                   "2", {{"guests", "2"}, {"loads", "opposed"}, {"driver_cpus", "2"}, {"link_mbps", "100"}})},
        Placed{"Credit",
               {{"platform", "xen-pv"}, {"guests", "2"}, {"guest_cpu", "driver"}, {"scheduler", "credit"}}},
        Placed{"TwoGuestsOfKvm", two_guests_of_kvm("own")},
        Placed{"TwoGuestsOfKvmOneCpu", two_guests_of_kvm("driver")},
        Placed{"TwoCardsOfKvmTranslated", two_cards_of_kvm({{"forwarding", "nat"}, {"loads", "opposed"}})},
        Placed{"MacvtapsOnTwoCards", two_cards_of_kvm({{"forwarding", "macvtap"},
                                                       {"loads", "opposed"},
                                                       {"driver_interrupts", "swapped"}})},
        Placed{"MacvtapWithThreeQueues",
               {{"platform", "kvm"},
                {"guest_cpus", "3"},
                {"driver_cpus", "3"},
                {"forwarding", "macvtap"},
                {"link_mbps", "100"}}},
        Placed{"MacvtapBehindQemu", {{"platform", "kvm-qemu"}, {"forwarding", "macvtap"}}},
        Placed{"RoutedGuestOfPvh",
               {{"platform", "xen-pvh"}, {"forwarding", "route"}, {"balloon_mib", "128"}}},
        Placed{"TranslatedFullyVirtualisedGuest", {{"platform", "xen-hvm"}, {"forwarding", "nat"}}}),
    [](const auto& one) { return std::string(one.param.name); });

// The agent asks each guest what it has come up with.
class PlacementOfGuestCpus : public testing::TestWithParam<FactorMap> {};

TEST_P(PlacementOfGuestCpus, AreThereWithAsManyQueuesAndWorkOnCpusOfTheirOwn) {
  NEED_LAB(lab_machine_of(GetParam().at("platform")));
  Trial trial;  // of so many connections that every queue has some, however the kernels hash them
  trial.factors = {{"topology", "card"},     {"workload", "http"}, {"direction", "receive"},
                   {"offloads", "off"},      {"requests", "60"},   {"file_bytes", "1448"},
                   {"warmup_requests", "10"}};
  for (const auto& [key, value] : GetParam()) trial.factors[key] = value;
  const auto kind = machine_of(trial.factors);
  ASSERT_TRUE(kind);
  const auto plan = plan_of(trial);
  ASSERT_TRUE(plan);
  const LabMachine& machine = LabBench::get().machine(kind->image, kind->shape);
  const int before_guests = 1 + kind->shape.driver_cpus;
  EXPECT_EQ(machine.spec().cpus, before_guests + kind->shape.guests * kind->shape.guest_cpus);
  const auto seen = machine.observe(*plan, quiet);
  ASSERT_TRUE(seen) << seen.error().text();
  const nlohmann::json guests = nlohmann::json::parse(seen->answer).at("guest_cpus");
  ASSERT_EQ(guests.size(), static_cast<std::size_t>(kind->shape.guests));
  for (const nlohmann::json& guest : guests) {
    EXPECT_EQ(guest.at("cpus"), kind->shape.guest_cpus);
    EXPECT_EQ(guest.at("queues"), kind->shape.guest_cpus);
  }
  const auto ledger = machine.ledger_of(*seen, {1});
  ASSERT_TRUE(ledger) << ledger.error().text();
  std::map<std::string, std::set<int>> cpus_of;
  std::uint64_t charged = 0;
  for (const LedgerEntry& row : ledger->entries) {
    if (row.kind != "instructions") continue;
    charged += row.value;
    if (row.layer == Layer::kernel && row.value > 0) cpus_of[row.domain].insert(row.cpu);
  }
  EXPECT_EQ(charged, ledger->machine_total.value);
  for (int guest = 1; guest <= kind->shape.guests; ++guest) {
    const int first = before_guests + (guest - 1) * kind->shape.guest_cpus;
    for (const int cpu : cpus_of[fmt::format("guest{}", guest)]) {
      EXPECT_GE(cpu, first);
      EXPECT_LT(cpu, first + kind->shape.guest_cpus);
    }
    EXPECT_EQ(cpus_of[fmt::format("guest{}", guest)].size(),
              static_cast<std::size_t>(kind->shape.guest_cpus));
  }
  // The card's work is on the driver domain's first CPU, and queues on each of the others: those of guest k
  // begin at the k-th behind the first.
  const std::string driver = has_xen(kind->image) ? "Domain-0" : "host";
  std::map<int, std::uint64_t> of_driver;
  std::uint64_t all = 0;
  for (const LedgerEntry& row : ledger->entries)
    if (row.kind == "instructions" && row.layer == Layer::driver && row.domain == driver &&
        row.cpu < before_guests)
      of_driver[row.cpu] += row.value, all += row.value;
  ASSERT_GE(kind->shape.guests + kind->shape.guest_cpus, kind->shape.driver_cpus);
  EXPECT_EQ(of_driver.size(), static_cast<std::size_t>(kind->shape.driver_cpus));
  for (const auto& [cpu, work] : of_driver) EXPECT_GT(work * 20, all) << "CPU " << cpu;
}

INSTANTIATE_TEST_SUITE_P(Of, PlacementOfGuestCpus,
                         testing::Values(FactorMap{{"platform", "xen-pv"},
                                                   {"guests", "2"},
                                                   {"guest_cpus", "2"},
                                                   {"driver_cpus", "4"},
                                                   {"loads", "opposed"}},
                                         FactorMap{
                                             {"platform", "kvm"}, {"guest_cpus", "3"}, {"driver_cpus", "3"}}),
                         [](const auto& one) { return test_name(lab_machine_of(one.param.at("platform"))); });

// What a factor is for shows in the ledger.

TEST(PlacementOnACpu, IsWhereTheGuestRuns) {
  NEED_LAB(PlatformId::xen_pv);
  for (const auto& [placed, cpu] : {std::pair{"own", 2}, {"driver", 0}}) {
    const Trial trial = run(small(guest_on(placed)));
    EXPECT_EQ(instructions(trial, "guest1", {Layer::kernel, Layer::program}),
              instructions(trial, "guest1", {Layer::kernel, Layer::program}, cpu))
        << placed;
  }
}

TEST(PlacementOnACpu, IsWhereGuestsOfKvmRun) {
  NEED_LAB(PlatformId::kvm);
  const std::set<Layer> own = {Layer::kernel, Layer::program};
  for (const auto& [placed, first, second] :
       {std::tuple{"own", 2, 3}, {"together", 2, 2}, {"driver", 0, 0}}) {
    const Trial trial = run(small(two_guests_of_kvm(placed)));
    for (const auto& [guest, cpu] : {std::pair{"guest1", first}, {"guest2", second}})
      EXPECT_EQ(instructions(trial, guest, own), instructions(trial, guest, own, cpu))
          << placed << " " << guest;
  }
}

TEST(Loads, AreUnlikeAsAsked) {
  NEED_LAB(PlatformId::native);
  const Trial halving = run(small({{"platform", "native"}, {"guests", "4"}, {"loads", "halving"}}));
  ASSERT_EQ(halving.guests.size(), 4U);
  for (std::size_t i = 0; i < 4; ++i) EXPECT_EQ(halving.guests[i].bytes.value, 262144U >> i);
}

TEST(Softload, TakesItsShareAndIsAFunctionOfItsOwn) {
  NEED_LAB(PlatformId::native);
  const Trial without = run(small({{"platform", "native"}, {"link_mbps", "10"}}));
  const Trial with = run(small({{"platform", "native"}, {"link_mbps", "10"}, {"softload_percent", "50"}}));
  ASSERT_GT(without.window_virtual_ns, 0U);
  // At 2 ns an instruction; the link is slow, so that the machine is idle but for the softload.
  const double executed = 2.0 * static_cast<double>(cost_of(with, "host", "vtax::spin"));
  EXPECT_NEAR(executed / static_cast<double>(with.window_virtual_ns), 0.5, 0.05);
  EXPECT_EQ(cost_of(without, "host", "vtax::spin"), 0U);
}

// Full frames over a gigabit wire carry 941.49 Mb/s of TCP payload (Primet); here at a tenth of it, for which
// the emulated CPU is quick enough on every platform.
TEST(Link, CarriesWhatEthernetCarries) {
  NEED_LAB(PlatformId::native);
  for (const char* direction : {"receive", "send"}) {
    const Trial trial = run(small({{"platform", "native"},
                                   {"link_mbps", "100"},
                                   {"direction", direction},
                                   {"bytes", "4194304"},
                                   {"warmup_bytes", "1048576"}}));
    ASSERT_GT(trial.window_virtual_ns, 0U);
    const double mbps =
        static_cast<double>(trial.work.bytes.value) * 8e3 / static_cast<double>(trial.window_virtual_ns);
    EXPECT_NEAR(mbps, 94.149, 3) << direction;  // the bucket lets the first 128 KiB through at once
    RecordProperty(std::string(direction) + "_mbps", std::to_string(mbps));
  }
}

TEST(PlacementOfForwarding, ShowsInTheFunctionsOfTheDriverDomain) {
  NEED_LAB(PlatformId::xen_pv);
  const Trial bridged = run(small(forwarded("bridge"))), routed = run(small(forwarded("route"))),
              translated = run(small(forwarded("nat")));
  EXPECT_GT(cost_of(bridged, "Domain-0", "br_handle_frame"), 0U);
  EXPECT_EQ(cost_of(routed, "Domain-0", "br_handle_frame"), 0U);
  EXPECT_EQ(cost_of(bridged, "Domain-0", "ip_forward"), 0U);
  EXPECT_GT(cost_of(routed, "Domain-0", "ip_forward"), 0U);
  EXPECT_EQ(cost_of(routed, "Domain-0", "nf_nat"), 0U);
  EXPECT_GT(cost_of(translated, "Domain-0", "nf_nat"), 0U);
  EXPECT_GT(instructions(translated, "Domain-0", {Layer::driver}),
            instructions(routed, "Domain-0", {Layer::driver}));
}

// A tap on the card has no bridge, and a host that works for it all the same.
TEST(PlacementOfForwarding, OfMacvtapsIsTheHostsWorkWithoutABridge) {
  NEED_LAB(PlatformId::kvm);
  const auto forwarded = [](const char* way) {
    return run(small({{"platform", "kvm"}, {"forwarding", way}}));
  };
  const Trial bridged = forwarded("bridge"), tapped = forwarded("macvtap");
  EXPECT_GT(cost_of(bridged, "host", "br_handle_frame"), 0U);
  EXPECT_EQ(cost_of(bridged, "host", "macvlan_handle_frame"), 0U);
  EXPECT_EQ(cost_of(tapped, "host", "br_handle_frame"), 0U);
  for (const char* function : {"macvlan_handle_frame", "tap_handle_frame", "handle_rx", "e1000_clean"})
    EXPECT_GT(cost_of(tapped, "host", function), 0U) << function;
  EXPECT_LT(instructions(tapped, "host", {Layer::driver}), instructions(bridged, "host", {Layer::driver}));
}

// The card is the switch: nobody between is left but who passes interrupts on.
class PlacementOfFunctions : public testing::TestWithParam<FactorMap> {};

TEST_P(PlacementOfFunctions, LeavesTheDriverDomainOut) {
  NEED_LAB(lab_machine_of(GetParam().at("platform")));
  FactorMap factors = GetParam();
  factors["forwarding"] = "vf";
  const Trial trial = run(small(factors)), again = run_anew(small(factors));
  ASSERT_EQ(trial.digest.size(), 64U);
  EXPECT_EQ(trial.digest, again.digest);
  const std::string driver = factors.at("platform") == "kvm" ? "host" : "Domain-0";
  for (const char* function : {"br_handle_frame", "xenvif_", "handle_rx", "igb_clean_rx_irq"})
    EXPECT_EQ(cost_of(trial, driver, function), 0U) << function;
  std::uint64_t of_the_guests = 0, of_the_peer = 0;
  for (const DeviceCount& device : trial.devices) {
    if (device.side == "peer") of_the_peer += device.received.value;
    if (device.domain.starts_with("guest")) of_the_guests += device.sent.value;
  }
  EXPECT_GT(of_the_peer, 0U);
  EXPECT_EQ(of_the_guests, of_the_peer);
  for (const GuestWork& guest : trial.guests)
    EXPECT_GT(cost_of(trial, guest.guest, "igbvf_"), 10'000U) << guest.guest;
}

INSTANTIATE_TEST_SUITE_P(
    Of, PlacementOfFunctions,
    testing::Values(FactorMap{{"platform", "xen-pv"}, {"guests", "2"}, {"loads", "opposed"}},
                    FactorMap{{"platform", "kvm"}}),
    [](const auto& one) { return test_name(lab_machine_of(one.param.at("platform"))); });

// The driver domain does what Domain-0 did: driver, bridge and backend; Domain-0 is idle but for its timers.
TEST(PlacementOfDriverDomains, TakesDomain0sWork) {
  NEED_LAB(PlatformId::xen_pv);
  const Trial before = run(small({{"platform", "xen-pv"}, {"direction", "send"}})),
              trial = run(small(driver_domains("1", {{"direction", "send"}})));
  for (const char* function : {"e1000_clean", "br_handle_frame", "xenvif_"}) {
    EXPECT_GT(cost_of(before, "Domain-0", function), 10'000U) << function;
    EXPECT_EQ(cost_of(trial, "Domain-0", function), 0U) << function;
    EXPECT_GT(cost_of(trial, "driver1", function), 10'000U) << function;
  }
  EXPECT_LT(instructions(trial, "Domain-0", {Layer::driver}) * 10,
            instructions(trial, "driver1", {Layer::driver}));
  // Xen maps for the card what a guest grants the driver domain, and never for Domain-0's.
  EXPECT_GT(cost_of(trial, "driver1", "iommu"), 1'000U);
  EXPECT_EQ(cost_of(before, "Domain-0", "iommu"), 0U);
}

class PlacementOfInterrupts : public testing::TestWithParam<std::pair<PlatformId, FactorMap>> {};

TEST_P(PlacementOfInterrupts, GivesTheDriverDomainsSecondCpuItsWork) {
  const auto& [kind, factors] = GetParam();
  NEED_LAB(kind);
  const auto second_cpu = [&factors = factors, kind = kind](const char* interrupts) {
    FactorMap with = factors;
    with["driver_interrupts"] = interrupts;
    return instructions(run(small(with)), has_xen(kind) ? "Domain-0" : "host", {Layer::driver}, 2);
  };
  const std::uint64_t standard = second_cpu("first"), by_card = second_cpu("by-card");
  EXPECT_GT(by_card, 1'000'000U);
  EXPECT_LT(standard * 20, by_card);  // timers alone
}

INSTANTIATE_TEST_SUITE_P(Of, PlacementOfInterrupts,
                         testing::Values(std::pair{PlatformId::xen_pv, two_cards({})},
                                         std::pair{PlatformId::kvm, two_cards_of_kvm({})}),
                         [](const auto& one) { return test_name(one.param.first); });

// Of two guests that loop on one CPU the first one's share while both of them run: half of the work is its
// own, and it had what it needed when it ended.
double share_of_first(const char* scheduler, const char* weights) {
  const Trial trial = run(looping({{"guests", "2"},
                                   {"guest_cpu", "together"},
                                   {"scheduler", scheduler},
                                   {"guest_weights", weights},
                                   {"iterations", "50000000"}}));
  return static_cast<double>(trial.window_virtual_ns) / 2 /
         static_cast<double>(trial.guests.front().virtual_ns);
}

TEST(PlacementOfWeights, ShareACpuAsTheySay) {
  NEED_LAB(PlatformId::xen_pv);
  EXPECT_NEAR(share_of_first("credit2", "equal"), 0.5, 0.01);
  EXPECT_NEAR(share_of_first("credit2", "halving"), 2.0 / 3, 0.01);
}

// Xen's credit gives out the credits of all CPUs of the machine, each guest at most what its own CPUs can
// use: two guests on one CPU beside idle ones are never short of credits, and take turns whatever their
// weights (docs/design/placements.md).
TEST(PlacementOfWeights, MeanNothingToCreditBesideIdleCpus) {
  NEED_LAB(PlatformId::xen_pv);
  EXPECT_NEAR(share_of_first("credit", "halving"), 0.5, 0.01);
}

TEST(PlacementOfLoops, TakeAsLongOnTwoCpusAsOneAloneAndTwiceAsLongOnOne) {
  NEED_LAB(PlatformId::xen_pv);
  const Trial own = run(looping({{"guests", "2"}, {"guest_cpu", "own"}})),
              together = run(looping({{"guests", "2"}, {"guest_cpu", "together"}}));
  // At 2 ns an instruction.
  const double alone_ns =
      2.0 * static_cast<double>(instructions(own, "guest1", {Layer::kernel, Layer::program}));
  EXPECT_NEAR(static_cast<double>(own.window_virtual_ns) / alone_ns, 1, 0.03);
  EXPECT_NEAR(static_cast<double>(together.window_virtual_ns) / static_cast<double>(own.window_virtual_ns), 2,
              0.06);
}

// Two that loop on one CPU: one after the other without a break, as long as their counts say, and the same in
// a rerun.
TEST(PlacementOfLoops, LeaveASchedule) {
  NEED_LAB(PlatformId::xen_pv);
  const Trial asked =
      looping({{"guests", "2"}, {"guest_cpu", "together"}, {"iterations", "20000000"}, {"schedule", "on"}});
  const Trial first = run(asked);
  EXPECT_EQ(first.schedule, run_anew(asked).schedule);
  ASSERT_FALSE(first.schedule.empty());
  EXPECT_EQ(first.schedule.left_out, 0U);
  constexpr int kGuestsCpu = 2;
  std::map<std::string, std::uint64_t> ns;
  std::uint64_t now = 0;
  int switches = 0;
  for (const Schedule::Stay& stay : first.schedule.stays) {
    if (stay.cpu != kGuestsCpu) continue;
    EXPECT_EQ(stay.begin_ns, now);
    now = stay.end_ns;
    ns[first.schedule.vcpus[stay.vcpu].domain] += stay.end_ns - stay.begin_ns;
    ++switches;
  }
  EXPECT_NEAR(static_cast<double>(now), static_cast<double>(first.window_virtual_ns), 5e3);
  EXPECT_GT(switches, 10);
  for (const Busy& busy : first.busy)
    if (busy.cpu == kGuestsCpu && busy.domain != "idle") {
      EXPECT_NEAR(static_cast<double>(ns[busy.domain]), static_cast<double>(busy.ns),
                  1e-3 * static_cast<double>(now) + 5e3)
          << busy.domain;
    }
}

// credit looks every 30 ms whether a guest has had its part: its windows are longer.
TEST(PlacementOfCaps, HoldAGuestToItsPart) {
  NEED_LAB(PlatformId::xen_pv);
  for (const auto& [scheduler, iterations] :
       {std::pair{"credit2", "50000000"}, std::pair{"credit", "100000000"}}) {
    const auto window_ns = [scheduler = scheduler, iterations = iterations](const char* cap) {
      return static_cast<double>(
          run(looping({{"scheduler", scheduler}, {"guest_cap_percent", cap}, {"iterations", iterations}}))
              .window_virtual_ns);
    };
    const double free_ns = window_ns("0");
    for (const int cap : {25, 75})
      EXPECT_NEAR(free_ns / window_ns(std::to_string(cap).c_str()), cap / 100.0, 0.01)
          << scheduler << ' ' << cap;
  }
}

TEST(PlacementOfMemory, IsWhatTheGuestFinds) {
  NEED_LAB(PlatformId::xen_pv);
  const auto held_mib = [](const char* balloon) {
    Trial trial = looping({{"balloon_mib", balloon}});
    trial.factors["iterations"] = "1000";
    const auto plan = plan_of(trial);
    const auto seen = LabBench::get().machine(PlatformId::xen_pv).observe(plan.value(), quiet);
    if (!seen) {
      ADD_FAILURE() << seen.error().text();
      return 0.0;
    }
    return nlohmann::json::parse(seen->answer).at("guest_memory_kib").at(0).get<double>() / 1024;
  };
  EXPECT_NEAR(held_mib("0"), 192, 2);
  EXPECT_NEAR(held_mib("128"), 128, 2);
}

TEST(Scheduler, ThatXenDoesNotHaveIsRefusedBeforeItBoots) {
  NEED_LAB(PlatformId::xen_pv);
  LabBench& bench = LabBench::get();
  // A Xen that never heard of it.
  LabImage image = bench.image(PlatformId::xen_pv);
  auto xen = read_file(*image.xen).value();
  constexpr std::string_view kItsName = "SMP RTDS Scheduler";
  const auto at = std::search(xen.begin(), xen.end(), kItsName.begin(), kItsName.end());
  if (at != xen.end()) *at = 'X';  // Debian 12's was built without it
  const Folder folder;
  image.xen = folder.path() / "xen";
  ASSERT_TRUE(write_file(*image.xen, xen));
  MachineShape shape;
  shape.scheduler = Scheduler::rtds;
  const auto machine =
      LabMachine::prepare(std::move(image), bench.agent(), bench.qemu(), bench.probe(), shape);
  ASSERT_FALSE(machine);
  EXPECT_NE(machine.error().text().find("built without it"), std::string::npos) << machine.error().text();
}

}  // namespace
}  // namespace vtax::lab
