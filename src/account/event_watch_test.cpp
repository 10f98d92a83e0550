#include "account/event_watch.h"

#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "account/ledger.h"

namespace vtax {
namespace {

constexpr std::uint64_t kXenCode = 0xffff82d040200000, kLinux = 0xffffffff81000000,
                        kLoaded = 0xffffffffc0000000;

AddressMap::Table table_of(std::vector<Symbol> symbols) {
  return std::make_shared<SymbolTable>(std::move(symbols));
}

// A kernel of these functions, 0x100 bytes each, behind those without which nothing is counted.
AddressMap machine_of(const std::vector<std::string>& functions, const std::vector<std::string>& xen = {}) {
  AddressMap map;
  std::vector<Symbol> symbols;
  std::uint64_t at = kLinux;
  std::vector<std::string> all = {"asm_exc_page_fault", "entry_SYSCALL_64", "asm_common_interrupt"};
  all.insert(all.end(), functions.begin(), functions.end());
  for (const std::string& name : all) symbols.push_back({GuestAddress(at), name, 't'}), at += 0x100;
  map.kernel = table_of(std::move(symbols));
  if (xen.empty()) return map;
  map.has_hypervisor = true;
  std::vector<Symbol> theirs;
  at = kXenCode;
  for (const std::string& name : xen) theirs.push_back({GuestAddress(at), name, 't'}), at += 0x100;
  map.hypervisor = table_of(std::move(theirs));
  return map;
}

ProbeWindow::Row ran(std::uint64_t address, std::int64_t instructions, std::uint32_t length) {
  return {0, GuestAddress(address), instructions, length};
}

std::map<std::string, std::uint64_t> counted(const EventWatch& watch, const ProbeWindow::Row& row,
                                             const std::string& domain = "host") {
  std::map<std::string, std::uint64_t> out;
  for (const auto& count : watch.counts_of(row, domain))
    out[std::string(event_kinds()[count.kind].name)] += count.value;
  return out;
}

std::size_t kind_named(std::string_view name) {
  for (std::size_t kind = 0; kind < event_kinds().size(); ++kind)
    if (event_kinds()[kind].name == name) return kind;
  ADD_FAILURE() << name;
  return 0;
}

using Counts = std::map<std::string, std::uint64_t>;

TEST(EventWatch, AnEntryIsABlockThatBeganAtAFunction) {
  const EventWatch watch(machine_of({"tcp_v4_rcv", "__netif_receive_skb_core.constprop.0"}));
  EXPECT_EQ(counted(watch, ran(kLinux + 0x300, 70, 7)), (Counts{{"tcp_packets_received", 10}}));
  EXPECT_EQ(counted(watch, ran(kLinux + 0x300, 66, 7)), (Counts{{"tcp_packets_received", 10}}));  // cut short
  EXPECT_EQ(counted(watch, ran(kLinux + 0x302, 70, 7)), Counts{});
  EXPECT_EQ(counted(watch, ran(kLinux + 0x400, 3, 1)), (Counts{{"packets_received", 3}}));
  EXPECT_TRUE(watch.is_known(kind_named("packets_received")));
  EXPECT_FALSE(watch.is_known(kind_named("acknowledgements_sent")));
}

TEST(EventWatch, FunctionsOfAnLtoBuildAreFound) {
  const EventWatch watch(machine_of({"__netif_receive_skb_core.llvm.6341068275337658368", "tcp_ack"}));
  EXPECT_EQ(counted(watch, ran(kLinux + 0x300, 3, 1)), (Counts{{"packets_received", 3}}));
  EXPECT_TRUE(watch.is_known(kind_named("packets_received")));
}

TEST(EventWatch, TheFirstAlternativeCounts) {
  const EventWatch outlined(machine_of({"__tcp_send_ack", "__tcp_send_ack.part.0"}));
  EXPECT_EQ(counted(outlined, ran(kLinux + 0x300, 4, 2)), Counts{});
  EXPECT_EQ(counted(outlined, ran(kLinux + 0x400, 4, 2)), (Counts{{"acknowledgements_sent", 2}}));
  const EventWatch whole(machine_of({"__tcp_send_ack"}));
  EXPECT_EQ(counted(whole, ran(kLinux + 0x300, 4, 2)), (Counts{{"acknowledgements_sent", 2}}));
}

TEST(EventWatch, AModulesEventsAreItsDomains) {
  AddressMap map = machine_of({});
  map.add_module("guest1", "virtio_pci", table_of({{GuestAddress(kLoaded), "vp_notify", 't'}}));
  map.add_module("host", "e1000e",
                 table_of({{GuestAddress(kLoaded), "e1000_xmit_frame", 't'},
                           {GuestAddress(kLoaded + 0x200), "e1000_clean", 't'}}));
  const EventWatch watch(map);
  EXPECT_EQ(counted(watch, ran(kLoaded, 8, 4), "guest1"), (Counts{{"doorbells", 2}}));
  EXPECT_EQ(counted(watch, ran(kLoaded, 8, 4), "host"), Counts{});
  ProbeWindow::Row access = ran(kLoaded + 0x50, 5, 1);
  EXPECT_EQ(counted(watch, access), Counts{});
  access.accesses_devices = true;
  EXPECT_EQ(counted(watch, access), (Counts{{"doorbells", 5}}));
  access.address = GuestAddress(kLoaded + 0x200);  // of another function
  EXPECT_EQ(counted(watch, access), Counts{});
}

TEST(EventWatch, ArgumentsAreSumsOfTheProbe) {
  const EventWatch watch(
      machine_of({"gnttab_map_refs", "__alloc_pages"},
                 {"pv_hypercall", "do_IRQ", "gnttab_copy", "do_grant_table_op", "memcpy"}));
  EXPECT_EQ(watch.lacks(), nullptr);
  const std::string& settings = watch.settings();
  EXPECT_NE(settings.find("event 0 ffff82d040200000\n"), std::string::npos) << settings;
  // Number, where, amount, register, whose calls.
  EXPECT_NE(settings.find("sum 0 ffff82d040200400 0 0 ffff82d040200200 ffff82d040200300\n"),
            std::string::npos);
  EXPECT_NE(settings.find("sum 1 ffff82d040200400 1 2 ffff82d040200200 ffff82d040200300\n"),
            std::string::npos);
  EXPECT_NE(settings.find("sum 2 ffffffff81000300 1 1 0 0\n"), std::string::npos);
  EXPECT_NE(settings.find(" ffffffff81000400 2 6 0 0\n"), std::string::npos);
  EXPECT_EQ(watch.count_of({0, 1, 77}, "guest1").kind, kind_named("grant_copy_bytes"));
  EXPECT_EQ(watch.count_of({0, 1, 77}, "guest1").value, 77U);
  EXPECT_EQ(watch.count_of({0, probe::kSums, 77}, "guest1").kind, event_kinds().size());
}

// Domain-0 and the guest have functions of different names at the same addresses.
TEST(EventWatch, OfTwoKernelsEachDomainsOwnCounts) {
  AddressMap map = machine_of({"tcp_v4_rcv", "__alloc_pages", "asm_sysvec_apic_timer_interrupt"},
                              {"pv_hypercall", "do_IRQ", "gnttab_copy", "memcpy"});
  map.guest_kernel = machine_of({"__alloc_pages", "asm_sysvec_apic_timer_interrupt", "tcp_v4_rcv"}).kernel;
  map.first_domain = "Domain-0";
  const EventWatch watch(map);
  EXPECT_EQ(watch.lacks(), nullptr);
  const std::uint64_t first = kLinux + 0x300, second = first + 0x100, third = second + 0x100;
  EXPECT_EQ(counted(watch, ran(first, 8, 4), "Domain-0"), (Counts{{"tcp_packets_received", 2}}));
  EXPECT_EQ(counted(watch, ran(first, 8, 4), "guest1"), Counts{});
  EXPECT_EQ(counted(watch, ran(second, 8, 4), "guest1"), (Counts{{"interrupts", 2}}));
  EXPECT_EQ(counted(watch, ran(second, 8, 4), "Domain-0"), Counts{});
  EXPECT_EQ(counted(watch, ran(third, 8, 4), "Domain-0"), (Counts{{"interrupts", 2}}));
  EXPECT_EQ(counted(watch, ran(third, 8, 4), "driver1"), (Counts{{"tcp_packets_received", 2}}));
  // Both have it at the same place.
  EXPECT_EQ(counted(watch, ran(kLinux, 8, 4), "Domain-0"), (Counts{{"page_faults", 2}}));
  EXPECT_EQ(counted(watch, ran(kLinux, 8, 4), "guest1"), (Counts{{"page_faults", 2}}));

  // The probe has a sum for each, at its own place; the hypervisor's is everybody's.
  std::istringstream lines(watch.settings());
  std::map<std::uint64_t, std::uint32_t> allocations;  // number of the sum by address
  for (std::string line; std::getline(lines, line);) {
    unsigned number = 0;
    std::uint64_t at = 0;
    if (std::sscanf(line.c_str(), "sum %u %lx", &number, &at) == 2) allocations[at] = number;
    EXPECT_FALSE(line.starts_with("event") && line.find(" ffffffff") != std::string::npos) << line;
  }
  ASSERT_TRUE(allocations.contains(second) && allocations.contains(first)) << watch.settings();
  const ProbeWindow::Sum of_first{0, allocations[second], 5}, of_guests{0, allocations[first], 7};
  EXPECT_LT(of_guests.number, probe::kSums);
  const std::size_t none = event_kinds().size(), pages = kind_named("pages_allocated");
  EXPECT_EQ(watch.count_of(of_first, "Domain-0").kind, pages);
  EXPECT_EQ(watch.count_of(of_first, "guest1").kind, none);
  EXPECT_EQ(watch.count_of(of_guests, "guest1").kind, pages);
  EXPECT_EQ(watch.count_of(of_guests, "guest1").value, 7U);
  EXPECT_EQ(watch.count_of(of_guests, "Domain-0").kind, none);
  EXPECT_EQ(watch.count_of({0, 1, 9}, "Domain-0").kind, kind_named("grant_copy_bytes"));
  EXPECT_EQ(watch.count_of({0, 1, 9}, "guest1").kind, kind_named("grant_copy_bytes"));
}

TEST(EventWatch, TheProbeHasRoomForItsSums) {
  AddressMap map = machine_of({});
  map.guest_kernel = map.kernel;
  map.first_domain = "host";
  const EventWatch watch(map);
  EXPECT_EQ(watch.count_of({0, probe::kSums - 1, 1}, "host").kind, event_kinds().size());
  EXPECT_EQ(watch.count_of({0, probe::kSums - 1, 1}, "guest1").kind, event_kinds().size());
}

TEST(EventWatch, AFunctionThatIsNeededIsMissed) {
  EXPECT_EQ(EventWatch(machine_of({}, {"pv_hypercall"})).lacks()->function, "do_IRQ");
  EXPECT_EQ(EventWatch(machine_of({})).lacks(), nullptr);
}

// A hypervisor that copies within its function and does not call memcpy would show no copy.
TEST(EventWatch, CallsOfACallerThatRanAndNeverCalledAreUnknown) {
  EventWatch watch(machine_of({}, {"pv_hypercall", "do_IRQ", "gnttab_copy", "do_grant_table_op", "memcpy"}));
  EXPECT_TRUE(watch.is_known(kind_named("grant_copies")));
  watch.note(ran(kXenCode + 0x210, 10, 10), "Domain-0");
  EXPECT_TRUE(watch.is_known(kind_named("grant_copies")));
  watch.note(ran(kXenCode + 0x200, 10, 10), "Domain-0");
  EXPECT_FALSE(watch.is_known(kind_named("grant_copies")));
}

TEST(Charge, AnEventThatDidNotHappenIsZeroAndOneThatNobodySawIsAbsent) {
  ChargingRules charging;
  charging.map = machine_of({"skb_gro_receive", "tcp_v4_rcv", "memcpy"});
  charging.domains = {"host"};
  ProbeWindow window;
  window.contexts = {{0, 0, 0}, {1, 0, 0}};
  window.rows = {ran(kLinux + 0x400, 40, 4)};
  const auto number = [&] {
    const EventWatch watch(charging.map);
    std::uint32_t i = 0;
    while (watch.count_of({0, i, 0}, "host").kind != kind_named("bytes_copied")) ++i;
    return i;
  }();
  window.sums = {{0, number, 1500}, {1, number, 500}};
  window.total = Instructions(40);
  charging.peer_cpus = {1};
  const auto ledger = charge(window, charging);
  ASSERT_TRUE(ledger) << ledger.error().text();
  Counts counts;
  for (const LedgerEntry& entry : ledger->entries)
    if (entry.kind != "instructions") counts[entry.kind] += entry.value;
  EXPECT_EQ(counts, (Counts{{"bytes_copied", 1500}, {"gro_merges", 0}, {"tcp_packets_received", 10}}));
  auto other = window;
  other.sums[0].value = 1501;
  EXPECT_NE(charge(other, charging)->digest, ledger->digest);
}

TEST(EventTable, IsWhatTheDocumentsSay) {
  std::ifstream file(VTAX_SOURCE_DIR "/docs/design/probe.md");
  std::stringstream text;
  text << file.rdbuf();
  const std::string doc = text.str();
  for (const EventKind& kind : event_kinds()) {
    const std::string line = "| `" + std::string(kind.name) + "` | " + std::string(kind.meaning) + " |";
    EXPECT_NE(doc.find(line), std::string::npos) << line;
  }
}

}  // namespace
}  // namespace vtax
