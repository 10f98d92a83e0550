#include "meter/counter_ledger.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "meter/ledger_rows_for_test.h"

namespace vtax::meter {
namespace {

using Role = MeteredProcess::Role;
using testing::ElementsAre;
using testing::HasSubstr;

std::uint64_t cycles_of(const CounterLedger& seen, const std::string& domain, Layer layer,
                        Part part = Part::none, const std::string& kind = kHardwareCyclesKind) {
  std::uint64_t sum = 0;
  for (const LedgerEntry& e : seen.rows)
    if (e.domain == domain && e.layer == layer && e.part == part && e.kind == kind) sum += e.value;
  return sum;
}

std::uint64_t all_cycles(const CounterLedger& seen) {
  std::uint64_t sum = 0;
  for (const LedgerEntry& e : seen.rows) sum += e.kind == std::string(kHardwareCyclesKind) ? e.value : 0;
  return sum;
}

// A window and its counters; every thread is there from the beginning.
struct Window {
  LedgerInput books;
  CounterReading counts;

  void thread(int process, int number, const std::string& name, std::uint64_t run_ns,
              std::uint64_t guest_ticks = 0) {
    books.before.threads[number] = {process, name, 0, 0, 0, 0};
    books.after.threads[number] = {process, name, run_ns, 0, 0, guest_ticks};
    books.after.parents[process] = books.before.parents[process] = 1;
  }
  void count(int number, CpuMode mode, std::uint64_t cycles, std::uint64_t instructions) {
    counts.rows.push_back({number, mode, {cycles, instructions}, 10 * kMs, 10 * kMs});
  }
  [[nodiscard]] CounterLedger ledger(const std::vector<LedgerEntry>& time = {},
                                     const std::string& host = "host") const {
    return counter_ledger(books, time, counts, hardware_events(), host);
  }
};

TEST(CounterLedger, OfTheHostAreKernelAndProgram) {
  Window window;
  window.books.processes = {{10, Role::system, 1}, {20, Role::partner, 0}};
  window.thread(10, 10, "vtax", 30 * kMs);
  window.thread(10, 11, "vtax", 10 * kMs);
  window.thread(20, 20, "vtax", 20 * kMs);
  window.count(10, CpuMode::user, 100, 150);
  window.count(10, CpuMode::kernel, 1000, 900);
  window.count(11, CpuMode::kernel, 7, 8);
  window.count(20, CpuMode::kernel, 500, 400);
  const auto seen = window.ledger({{0, "host", Layer::kernel, Part::none, kCpuTimeKind, 80 * kMs},
                                   {0, "idle", Layer::idle, Part::none, kCpuTimeKind, 900 * kMs}});
  EXPECT_EQ(seen.state, "counted");
  EXPECT_EQ(cycles_of(seen, "host", Layer::program), 100U);
  EXPECT_EQ(cycles_of(seen, "host", Layer::kernel), 1507U);
  EXPECT_EQ(cycles_of(seen, "host", Layer::kernel, Part::none, kHardwareInstructionsKind), 1308U);
  EXPECT_EQ(all_cycles(seen), 1607U);
  EXPECT_DOUBLE_EQ(seen.cpu_share, 0.75);
  EXPECT_THAT(seen.notes, ElementsAre());
  for (const LedgerEntry& row : seen.rows)
    EXPECT_EQ(row.cpu, row.value == 500 || row.value == 400 ? 0 : 1) << row.value;
}

TEST(CounterLedger, AKvmGuestsModesAreItsOwn) {
  Window window;
  window.books.processes = {{10, Role::kvm, 1, 1}, {20, Role::kvm, 1, 2}, {30, Role::partner, 0}};
  window.thread(10, 10, "qemu", 5 * kMs);
  window.thread(10, 11, "CPU 0/KVM", 80 * kMs, 6);
  window.thread(20, 21, "CPU 0/KVM", 80 * kMs, 6);
  window.thread(10, -40, "vhost-10", 40 * kMs);
  window.thread(30, 30, "vtax", 5 * kMs);
  window.count(10, CpuMode::user, 5, 6);
  window.count(11, CpuMode::host, 1000, 500);
  window.count(11, CpuMode::guest_user, 20, 30);
  window.count(11, CpuMode::guest_kernel, 300, 400);
  window.count(21, CpuMode::guest_kernel, 311, 411);
  window.count(30, CpuMode::user, 2, 3);
  window.count(30, CpuMode::kernel, 50, 60);
  const auto seen = window.ledger();
  EXPECT_EQ(cycles_of(seen, "guest1", Layer::program), 20U);
  EXPECT_EQ(cycles_of(seen, "guest1", Layer::kernel), 300U);
  EXPECT_EQ(cycles_of(seen, "guest2", Layer::kernel), 311U);
  EXPECT_EQ(cycles_of(seen, "host", Layer::driver, Part::kernel), 1050U);
  EXPECT_EQ(cycles_of(seen, "host", Layer::driver, Part::program), 7U);
  EXPECT_THAT(seen.notes, ElementsAre("not seen: vhost's threads, which are the kernel's (40.0 ms)"));
}

TEST(CounterLedger, AnEmulatedGuestIsNotTakenApart) {
  Window window;
  window.books.processes = {{10, Role::emulator, 1, 1}};
  window.thread(10, 10, "qemu", 1 * kMs);
  window.thread(10, 11, "CPU 0/TCG", 1 * kMs);
  window.count(10, CpuMode::user, 5, 6);
  window.count(11, CpuMode::user, 70, 80);
  window.count(11, CpuMode::kernel, 9, 10);
  const auto seen = window.ledger();
  EXPECT_EQ(cycles_of(seen, "guest1", Layer::uncharged), 70U);
  EXPECT_EQ(cycles_of(seen, "host", Layer::driver, Part::program), 5U);
  EXPECT_EQ(cycles_of(seen, "host", Layer::driver, Part::kernel), 9U);
}

TEST(CounterLedger, OfUmlTheFirstProcessIsItsKernel) {
  Window window;
  window.books.processes = {{10, Role::uml, 1, 1}};
  window.thread(10, 10, "linux", 1 * kMs);
  window.thread(12, 12, "linux", 1 * kMs);
  window.books.after.parents[12] = window.books.before.parents[12] = 10;
  window.count(10, CpuMode::user, 70, 80);
  window.count(12, CpuMode::user, 3, 4);
  window.count(12, CpuMode::kernel, 9, 10);
  // Of a process that has ended since.
  window.books.after.threads.erase(12);
  window.books.after.parents.erase(12);
  const auto seen = window.ledger();
  EXPECT_EQ(cycles_of(seen, "guest1", Layer::kernel), 70U);
  EXPECT_EQ(cycles_of(seen, "guest1", Layer::program), 3U);
  EXPECT_EQ(cycles_of(seen, "host", Layer::driver, Part::kernel), 9U);
}

TEST(CounterLedger, OnADomain0AreItsThreadsAlone) {
  Window window;
  window.books.processes = {{30, Role::partner, 0}};
  window.thread(30, 30, "vtax", 5 * kMs);
  window.count(30, CpuMode::user, 2, 3);
  window.count(30, CpuMode::kernel, 50, 60);
  const auto seen = window.ledger({}, "Domain-0");
  EXPECT_EQ(cycles_of(seen, "Domain-0", Layer::driver, Part::program), 2U);
  EXPECT_EQ(cycles_of(seen, "Domain-0", Layer::driver, Part::kernel), 50U);
  ASSERT_EQ(seen.notes.size(), 1U);
  EXPECT_THAT(seen.notes[0], HasSubstr("not seen: Xen, its guests"));
}

TEST(CounterLedger, WhatWasNotSeenIsSaidAndNotZero) {
  Window window;
  window.books.processes = {{10, Role::kvm, 1}};
  window.thread(10, 11, "CPU 0/KVM", 80 * kMs, 6);
  window.books.packets_ns = {{0, 3 * kMs}, {1, 1 * kMs}};
  window.count(11, CpuMode::host, 100, 150);
  window.counts.not_seen[CpuMode::guest_user] = "no filter";
  window.counts.not_seen[CpuMode::guest_kernel] = "no right";
  window.counts.rows[0].running_ns /= 4;
  window.books.after.threads[77] = {10, "worker", 1 * kMs, 0, 0, 0};
  const auto seen = window.ledger();
  EXPECT_EQ(all_cycles(seen), 100U);
  EXPECT_DOUBLE_EQ(seen.time_share, 0.25);
  EXPECT_THAT(
      seen.notes,
      ElementsAre("not seen: the guests' user mode: no filter", "not seen: the guests' kernel mode: no right",
                  "not seen: packets on other threads' backs (4.0 ms)",
                  HasSubstr("1 threads began within the window"), HasSubstr("25 % of their time alone")));
}

TEST(CounterLedger, NothingCountedHasNoRowsAndAReason) {
  Window window;
  window.books.processes = {{10, Role::system, 1}};
  window.thread(10, 10, "vtax", 30 * kMs);
  window.counts.not_seen[CpuMode::user] = "this computer has no such counter";
  const auto seen = window.ledger();
  EXPECT_EQ(seen.state, "not counted: this computer has no such counter");
  EXPECT_TRUE(seen.rows.empty());
  EXPECT_TRUE(seen.notes.empty());
}

TEST(CounterLedger, CountersThatStandStillAreNotCounters) {
  Window window;
  window.books.processes = {{10, Role::system, 1}};
  window.thread(10, 10, "vtax", 30 * kMs);
  window.count(10, CpuMode::user, 0, 0);
  window.count(10, CpuMode::kernel, 0, 0);
  EXPECT_EQ(window.ledger().state, "not counted: the counters stand still at 0");
  // The guest's alone.
  window.books.processes = {{10, Role::kvm, 1}};
  window.thread(10, 10, "CPU 0/KVM", 30 * kMs, 3);
  window.counts.rows.clear();
  window.count(10, CpuMode::host, 4, 5);
  window.count(10, CpuMode::guest_user, 0, 0);
  window.count(10, CpuMode::guest_kernel, 0, 0);
  const auto seen = window.ledger();
  EXPECT_EQ(seen.state, "counted");
  EXPECT_EQ(seen.rows.size(), 2U);
  EXPECT_EQ(seen.notes.size(), 2U);
  // Unless it did not run.
  window.thread(10, 10, "CPU 0/KVM", 30 * kMs, 0);
  EXPECT_TRUE(window.ledger().notes.empty());
}

TEST(CounterLedger, ThreadsOfTheKernelAndOfOthersAreLeftOut) {
  Window window;
  window.books.processes = {{10, Role::kvm, 1}};
  window.thread(10, 10, "qemu", 1);
  window.thread(10, 11, "CPU 0/KVM", 1);
  window.thread(10, -7, "vhost-10", 1);
  window.thread(99, 99, "other", 1);
  const auto threads = countable_threads(window.books.before, window.books.processes);
  ASSERT_EQ(threads.size(), 2U);
  EXPECT_EQ(threads[0].number, 10);
  EXPECT_FALSE(threads[0].runs_guest);
  EXPECT_EQ(threads[1].number, 11);
  EXPECT_TRUE(threads[1].runs_guest);
}

}  // namespace
}  // namespace vtax::meter
