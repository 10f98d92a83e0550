#include "account/ledger.h"

#include <gtest/gtest.h>

#include <numeric>

namespace vtax {
namespace {

constexpr std::uint64_t kXen = 0xffff82d040200000, kKernel = 0xffffffff81000000,
                        kIdleText = 0xffffffff81a00000, kProgram = 0x401000;

ChargingRules xen_machine() {
  ChargingRules charging;
  charging.map.has_hypervisor = true;
  charging.map.hypervisor = std::make_shared<SymbolTable>(std::vector<Symbol>{
      {GuestAddress(kXen), "do_IRQ", 'T'}, {GuestAddress(kXen + 0x100), "idle_loop", 't'}});
  charging.map.kernel = std::make_shared<SymbolTable>(
      std::vector<Symbol>{{GuestAddress(kKernel), "tcp_sendmsg", 'T'},
                          {GuestAddress(kIdleText), "__cpuidle_text_start", 'T'},
                          {GuestAddress(kIdleText + 0x100), "__cpuidle_text_end", 'T'}});
  charging.map.find_idle_text();
  charging.domains = {"Domain-0", "guest1"};
  charging.drivers = {0};
  charging.peer_cpus = {1};
  return charging;
}

// CPU 0: Domain-0 and the idle virtual CPU; CPU 1: the peer; CPU 2: guest1.
ProbeWindow xen_window() {
  ProbeWindow window;
  window.contexts = {{0, 0, 0xa0}, {0, -1, 0xa9}, {1, 0, 0xa1}, {2, 1, 0xb0}};
  window.rows = {
      {0, GuestAddress(kXen), 100},    {0, GuestAddress(kKernel), 200},  {0, GuestAddress(kProgram), 30},
      {1, GuestAddress(kXen), 7},      {2, GuestAddress(kKernel), 5000}, {3, GuestAddress(kXen), 40},
      {3, GuestAddress(kKernel), 300}, {3, GuestAddress(kIdleText), 5},  {3, GuestAddress(kProgram), 60}};
  window.events = {{3, probe::Event::hypercalls, 11}, {2, probe::Event::interrupts, 99}};
  window.total = Instructions(100 + 200 + 30 + 7 + 5000 + 40 + 300 + 5 + 60);
  return window;
}

std::uint64_t value(const Ledger& ledger, int cpu, const std::string& domain, Layer layer, Part part,
                    const std::string& kind = "instructions") {
  for (const LedgerEntry& entry : ledger.entries)
    if (entry.cpu == cpu && entry.domain == domain && entry.layer == layer && entry.part == part &&
        entry.kind == kind)
      return entry.value;
  return 0;
}

TEST(Charge, EveryInstructionHasOnePayer) {
  const auto ledger = charge(xen_window(), xen_machine());
  ASSERT_TRUE(ledger) << ledger.error().text();
  EXPECT_EQ(value(*ledger, 0, "Domain-0", Layer::hypervisor, Part::none), 100U);
  EXPECT_EQ(value(*ledger, 0, "Domain-0", Layer::driver, Part::kernel), 200U);
  EXPECT_EQ(value(*ledger, 0, "Domain-0", Layer::driver, Part::program), 30U);
  EXPECT_EQ(value(*ledger, 0, "idle", Layer::idle, Part::none), 7U);
  EXPECT_EQ(value(*ledger, 2, "guest1", Layer::hypervisor, Part::none), 40U);
  EXPECT_EQ(value(*ledger, 2, "guest1", Layer::kernel, Part::none), 300U);
  EXPECT_EQ(value(*ledger, 2, "guest1", Layer::idle, Part::none), 5U);
  EXPECT_EQ(value(*ledger, 2, "guest1", Layer::program, Part::none), 60U);
  EXPECT_EQ(value(*ledger, 2, "guest1", Layer::hypervisor, Part::none, "hypercalls"), 11U);
}

TEST(Charge, TheScheduleNamesWhoRan) {
  ProbeWindow window = xen_window();
  window.stays = {{0, 0, 50, {}}, {1, 50, 60, {}}, {3, 20, 90, {}}, {2, 0, 90, {}}};
  window.stays_left_out = 2;
  const auto ledger = charge(window, xen_machine());
  ASSERT_TRUE(ledger) << ledger.error().text();
  const Schedule& schedule = ledger->schedule;
  EXPECT_EQ(schedule.vcpus,
            (std::vector<Schedule::Vcpu>{{"Domain-0", 0}, {"idle", 0}, {"peer", 0}, {"guest1", 0}}));
  EXPECT_EQ(schedule.stays,
            (std::vector<Schedule::Stay>{{0, 0, 0, 50}, {1, 2, 0, 90}, {2, 3, 20, 90}, {0, 1, 50, 60}}));
  EXPECT_EQ(schedule.left_out, 2U);
}

// One kernel in host and guest: what the probe saw behind VMRUN is the guest's, KVM's modules the hypervisor.
TEST(Charge, KvmsHostAndItsGuestShareAddresses) {
  constexpr std::uint64_t kKvm = 0xffffffffc0100000, kBridge = 0xffffffffc0200000;
  ChargingRules charging = xen_machine();
  charging.map.has_hypervisor = false;
  charging.map.nested = true;
  charging.domains = {"host", "guest1"};
  const auto module = [&](const char* domain, const char* name, std::uint64_t address) {
    charging.map.add_module(
        domain, name,
        std::make_shared<SymbolTable>(std::vector<Symbol>{{GuestAddress(address), "function", 't'}}));
  };
  module("host", "kvm_amd", kKvm);
  module("host", "bridge", kBridge);
  module("guest1", "virtio_net", kKvm);

  ProbeWindow window;
  window.contexts = {{0, 0, 0}, {2, -1, 0}, {2, 1, 0x1000}};
  window.rows = {{0, GuestAddress(kBridge), 10}, {0, GuestAddress(kProgram), 20},
                 {1, GuestAddress(kKvm), 30},    {1, GuestAddress(kKernel), 40},
                 {2, GuestAddress(kKvm), 50},    {2, GuestAddress(kKernel), 60},
                 {2, GuestAddress(kProgram), 70}};
  window.events = {{2, probe::Event::vm_exits, 3},
                   {2, probe::Event::exits_halt, 3},
                   {2, probe::Event::system_calls, 4},
                   {1, probe::Event::interrupts, 5}};
  window.total = Instructions(280);
  const auto ledger = charge(window, charging);
  ASSERT_TRUE(ledger) << ledger.error().text();
  EXPECT_EQ(value(*ledger, 0, "host", Layer::driver, Part::kernel), 10U);
  EXPECT_EQ(value(*ledger, 0, "host", Layer::driver, Part::program), 20U);
  EXPECT_EQ(value(*ledger, 2, "host", Layer::hypervisor, Part::none), 30U);
  EXPECT_EQ(value(*ledger, 2, "host", Layer::driver, Part::kernel), 40U);
  EXPECT_EQ(value(*ledger, 2, "guest1", Layer::kernel, Part::none), 110U);
  EXPECT_EQ(value(*ledger, 2, "guest1", Layer::program, Part::none), 70U);
  EXPECT_EQ(value(*ledger, 2, "guest1", Layer::hypervisor, Part::none, "vm_exits"), 3U);
  EXPECT_EQ(value(*ledger, 2, "guest1", Layer::hypervisor, Part::none, "vm_exits_halt"), 3U);
  EXPECT_EQ(value(*ledger, 2, "guest1", Layer::kernel, Part::none, "system_calls"), 4U);
  EXPECT_EQ(value(*ledger, 2, "host", Layer::driver, Part::kernel, "interrupts"), 5U);
}

TEST(Charge, MissesGoToWhomTheirInstructionsGo) {
  auto window = xen_window();
  window.cache_rows = {{1, probe::CacheCount::l2_misses, 5},
                       {4, probe::CacheCount::l2_misses, 100},  // the peer's
                       {8, probe::CacheCount::memory_accesses, 30}};
  const auto ledger = charge(window, xen_machine());
  ASSERT_TRUE(ledger) << ledger.error().text();
  EXPECT_EQ(value(*ledger, 0, "Domain-0", Layer::driver, Part::kernel, "l2_misses"), 5U);
  EXPECT_EQ(value(*ledger, 2, "guest1", Layer::program, Part::none, "memory_accesses"), 30U);
  std::uint64_t all = 0;
  for (const LedgerEntry& entry : ledger->entries)
    if (entry.kind == "l2_misses") all += entry.value;
  EXPECT_EQ(all, 5U);
  EXPECT_NE(ledger->digest, charge(xen_window(), xen_machine())->digest);
}

TEST(Charge, PeerIsLeftOutAndTheRestBalances) {
  const auto ledger = charge(xen_window(), xen_machine());
  ASSERT_TRUE(ledger);
  EXPECT_EQ(ledger->peer_total, Instructions(5000));
  EXPECT_EQ(ledger->machine_total, Instructions(742));
  std::uint64_t entries = 0, functions = 0;
  for (const auto& entry : ledger->entries)
    if (entry.kind == "instructions") entries += entry.value;
  for (const auto& function : ledger->functions) functions += function.instructions.value;
  EXPECT_EQ(entries, 742U);
  EXPECT_EQ(functions, 742U);
  for (const auto& entry : ledger->entries) EXPECT_NE(entry.cpu, 1);
}

TEST(Charge, WhatNobodyAnnouncedIsUnchargedAndBounded) {
  auto window = xen_window();
  window.contexts.push_back({2, -1, 0xc0});
  window.rows.push_back({4, GuestAddress(kKernel), 1});
  window.rows[4].instructions = 5000;
  window.total += Instructions(1);
  EXPECT_FALSE(charge(window, xen_machine()));  // 1 of 743 is more than 0.1 %

  window.rows[1].instructions += 1000000;
  window.total += Instructions(1000000);
  const auto ledger = charge(window, xen_machine());
  ASSERT_TRUE(ledger) << ledger.error().text();
  EXPECT_EQ(value(*ledger, 2, "unknown", Layer::uncharged, Part::none), 1U);
}

TEST(Charge, DifferenceToTheEmulatorsCounterIsShownOrRefused) {
  auto window = xen_window();
  window.rows[1].instructions += 1000000;
  window.total += Instructions(1000010);
  const auto more = charge(window, xen_machine());
  ASSERT_TRUE(more);
  EXPECT_EQ(value(*more, -1, "unknown", Layer::uncharged, Part::none), 10U);
  EXPECT_EQ(more->machine_total, Instructions(742 + 1000010));

  window.total = Instructions(5000);
  EXPECT_FALSE(charge(window, xen_machine()));
}

TEST(Charge, DigestSeesEveryCountButNotTheirOrder) {
  const auto machine = xen_machine();
  auto window = xen_window();
  const std::string digest = charge(window, machine)->digest;
  std::swap(window.rows.front(), window.rows.back());
  EXPECT_EQ(charge(window, machine)->digest, digest);
  for (std::size_t i = 0; i < window.rows.size(); ++i) {
    auto other = window;
    other.rows[i].instructions += 1;
    other.total += Instructions(1);
    EXPECT_NE(charge(other, machine)->digest, digest) << "row " << i;
  }
  auto other = window;
  other.events[0].count += 1;
  EXPECT_NE(charge(other, machine)->digest, digest);
}

TEST(Charge, ADriverDomainBesideDomain0IsDriverUnderItsOwnName) {
  ChargingRules charging = xen_machine();
  charging.domains = {"Domain-0", "guest1", "driver1"};
  charging.drivers = {0, 2};
  ProbeWindow window = xen_window();
  window.contexts.push_back({0, 2, 0xc0});
  window.rows.push_back({4, GuestAddress(kKernel), 500});
  window.rows.push_back({4, GuestAddress(kProgram), 6});
  window.rows.push_back({4, GuestAddress(kXen), 70});
  window.total.value += 576;
  const auto ledger = charge(window, charging);
  ASSERT_TRUE(ledger) << ledger.error().text();
  EXPECT_EQ(value(*ledger, 0, "driver1", Layer::driver, Part::kernel), 500U);
  EXPECT_EQ(value(*ledger, 0, "driver1", Layer::driver, Part::program), 6U);
  EXPECT_EQ(value(*ledger, 0, "driver1", Layer::hypervisor, Part::none), 70U);
  EXPECT_EQ(value(*ledger, 0, "Domain-0", Layer::driver, Part::kernel), 200U);
  EXPECT_EQ(value(*ledger, 2, "guest1", Layer::kernel, Part::none), 300U);
}

TEST(Charge, WithoutAHypervisorAllContextsAreTheHost) {
  ChargingRules charging = xen_machine();
  charging.map.has_hypervisor = false;
  charging.domains = {"host"};
  charging.drivers.clear();
  charging.peer_cpus = {};
  ProbeWindow window;
  window.contexts = {{0, 0, 0}, {1, -1, 0}};
  window.rows = {
      {0, GuestAddress(kKernel), 10}, {1, GuestAddress(kKernel + 8), 4}, {1, GuestAddress(kProgram), 6}};
  window.total = Instructions(20);
  const auto ledger = charge(window, charging);
  ASSERT_TRUE(ledger) << ledger.error().text();
  EXPECT_EQ(value(*ledger, 0, "host", Layer::kernel, Part::none), 10U);
  EXPECT_EQ(value(*ledger, 1, "host", Layer::program, Part::none), 6U);
  ASSERT_EQ(ledger->functions.front().function, "tcp_sendmsg");
  EXPECT_EQ(ledger->functions.front().instructions, Instructions(14));
}

// A block at the function's first instruction; its length tells how often it ran, also where a fault cut one
// execution short. Code without a symbol has no calls to count.
TEST(Charge, CallsAreExecutionsOfAFunctionsFirstBlock) {
  ProbeWindow window = xen_window();
  window.rows = {{0, GuestAddress(kKernel), 47, 8},      {0, GuestAddress(kKernel), 12, 4},
                 {0, GuestAddress(kKernel + 8), 900, 9}, {0, GuestAddress(kXen + 4), 50, 5},
                 {0, GuestAddress(kProgram), 30, 3},     {3, GuestAddress(kKernel), 8, 8}};
  window.total = Instructions(47 + 12 + 900 + 50 + 30 + 8);
  const auto ledger = charge(window, xen_machine());
  ASSERT_TRUE(ledger) << ledger.error().text();
  const auto calls = [&](const std::string& domain, const std::string& function) {
    for (const FunctionCost& cost : ledger->functions)
      if (cost.domain == domain && cost.function == function) return cost.calls;
    ADD_FAILURE() << function;
    return std::optional<std::uint64_t>();
  };
  EXPECT_EQ(calls("Domain-0", "tcp_sendmsg"), 6U + 3U);
  EXPECT_EQ(calls("guest1", "tcp_sendmsg"), 1U);
  EXPECT_EQ(calls("Domain-0", "do_IRQ"), 0U);
  EXPECT_EQ(calls("Domain-0", "[0x401000]"), std::nullopt);
}

}  // namespace
}  // namespace vtax
