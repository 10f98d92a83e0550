#include "meter/xen_ledger.h"

#include <gtest/gtest.h>

#include "meter/ledger_rows_for_test.h"

namespace vtax::meter {
namespace {

using Role = MeteredProcess::Role;

// One second; Domain-0 has CPUs 0 and 1, the guest is domain 3; the partner, process 20, is on CPU 0.
XenLedgerInput quiet_second_on_xen() {
  XenLedgerInput input;
  input.guest_domains = {3};
  input.books.processes = {{20, Role::partner, 0}};
  input.after.at = input.before.at + std::chrono::seconds(1);
  for (const auto& [domain, cpu] : {std::pair{0, 0}, {0, 1}, {3, 0}}) {
    input.before.times.push_back({domain, cpu, 100 * kMs});
    input.after.times.push_back({domain, cpu, 100 * kMs});
  }
  for (const int cpu : {0, 1}) input.books.before.cpus[cpu] = input.books.after.cpus[cpu] = {};
  return input;
}

TEST(XenLedger, RowsOfEachVirtualCpuAddUpToItsTime) {
  XenLedgerInput input = quiet_second_on_xen();
  input.after.times[0].ns += 700 * kMs;
  input.after.times[1].ns += 30 * kMs;
  input.after.times[2].ns += 400 * kMs;
  input.books.after.cpus[0].steal = 20;
  input.books.packets_ns = {{1, 10 * kMs}};
  input.books.guest_programs_ns = {150 * kMs};
  const auto ledger = xen_ledger(input);
  for (const int cpu : {0, 1, 2}) EXPECT_EQ(total(ledger, cpu), 1000 * kMs) << cpu;
  EXPECT_EQ(value(ledger, 0, "Domain-0", Layer::driver, Part::kernel), 700 * kMs);
  EXPECT_EQ(value(ledger, 0, "stolen", Layer::elsewhere), 200 * kMs);
  EXPECT_EQ(value(ledger, 1, "Domain-0", Layer::driver, Part::kernel), 10 * kMs);
  EXPECT_EQ(value(ledger, 1, "elsewhere", Layer::elsewhere), 20 * kMs);
  EXPECT_EQ(value(ledger, 2, "guest1", Layer::program), 150 * kMs);
  EXPECT_EQ(value(ledger, 2, "guest1", Layer::kernel), 250 * kMs);
}

TEST(XenLedger, WhatOthersRanInDomain0IsNotTheDrivers) {
  XenLedgerInput input = quiet_second_on_xen();
  input.after.times[0].ns += 700 * kMs;
  input.books.before.outside[500] = {50 * kMs, 0};
  input.books.after.outside[500] = {250 * kMs, 0};
  input.books.after.outside[501] = {100 * kMs, 0};  // started within the window
  input.books.after.outside[502] = {100 * kMs, 1};  // on another CPU
  const auto ledger = xen_ledger(input);
  EXPECT_EQ(value(ledger, 0, "Domain-0", Layer::driver, Part::kernel), 400 * kMs);
  EXPECT_EQ(value(ledger, 0, "elsewhere", Layer::elsewhere), 300 * kMs);
}

TEST(XenLedger, ThePartnersTicksTellItsProgram) {
  XenLedgerInput input = quiet_second_on_xen();
  input.after.times[0].ns += 700 * kMs;
  input.books.before.threads[20] = {20, "vtax", 0, 0, 0, 0};
  input.books.after.threads[20] = {20, "vtax", 200 * kMs, 5, 15, 0};
  const auto ledger = xen_ledger(input);
  EXPECT_EQ(value(ledger, 0, "Domain-0", Layer::driver, Part::program), 50 * kMs);
  EXPECT_EQ(value(ledger, 0, "Domain-0", Layer::driver, Part::kernel), 650 * kMs);
}

// Its number is below zero: it is outside of the sandbox.
TEST(XenLedger, ADeviceModelsTicksTellItsProgram) {
  XenLedgerInput input = quiet_second_on_xen();
  input.after.times[0].ns += 700 * kMs;
  input.books.processes.push_back({-60, Role::emulator, 0});
  input.books.after.threads[-61] = {-60, "qemu", 200 * kMs, 15, 5, 0};
  const auto ledger = xen_ledger(input);
  EXPECT_EQ(value(ledger, 0, "Domain-0", Layer::driver, Part::program), 150 * kMs);
  EXPECT_EQ(value(ledger, 0, "Domain-0", Layer::driver, Part::kernel), 550 * kMs);
}

// A program of the user's is a child of the partner's, whose own children come and go.
TEST(XenLedger, AProgramInDomain0IsCharged) {
  XenLedgerInput input = quiet_second_on_xen();
  input.after.times[0].ns += 700 * kMs;
  input.books.before.parents = input.books.after.parents = {{20, 1}, {21, 20}};
  input.books.after.threads[21] = {21, "httpd", 100 * kMs, 10, 0, 0};
  input.books.before.ended[20] = input.books.after.ended[20] = {};
  input.books.awaited[20] = {200 * kMs, 100 * kMs};
  const auto ledger = xen_ledger(input);
  EXPECT_EQ(value(ledger, 0, "Domain-0", Layer::driver, Part::program), 300 * kMs);
  EXPECT_EQ(value(ledger, 0, "Domain-0", Layer::driver, Part::kernel), 400 * kMs);
}

TEST(XenLedger, AGuestDividesItsTimeAsItSays) {
  XenLedgerInput input = quiet_second_on_xen();
  input.after.times[2].ns += 400 * kMs;
  input.books.guest_programs_ns = {60 * kMs};
  input.books.guest_kernels_ns = {20 * kMs};
  auto ledger = xen_ledger(input);
  EXPECT_EQ(value(ledger, 2, "guest1", Layer::program), 300 * kMs);
  EXPECT_EQ(value(ledger, 2, "guest1", Layer::kernel), 100 * kMs);
  input.books.guest_programs_ns = {20 * kMs};
  input.books.guest_kernels_ns = {10 * kMs};  // three ticks together
  ledger = xen_ledger(input);
  EXPECT_EQ(value(ledger, 2, "guest1", Layer::uncharged), 400 * kMs);
  EXPECT_EQ(total(ledger, 2), 1000 * kMs);
}

TEST(XenLedger, NobodyGetsMoreThanThereIs) {
  XenLedgerInput input = quiet_second_on_xen();
  input.after.times[0].ns += 5000 * kMs;  // counters that went mad
  input.after.times[2].ns += 300 * kMs;
  input.books.after.outside[500] = {9000 * kMs, 0};
  input.books.guest_programs_ns = {2000 * kMs};  // a guest may say anything
  input.books.packets_ns = {{1, 9000 * kMs}};
  const auto ledger = xen_ledger(input);
  for (const int cpu : {0, 1, 2}) EXPECT_EQ(total(ledger, cpu), 1000 * kMs) << cpu;
  EXPECT_EQ(value(ledger, 2, "guest1", Layer::program), 300 * kMs);
  EXPECT_EQ(value(ledger, 1, "Domain-0", Layer::driver, Part::kernel), 0U);
}

TEST(XenLedger, TwoGuestsHaveCpusOfTheirOwn) {
  XenLedgerInput input = quiet_second_on_xen();
  input.guest_domains = {3, 9};
  input.before.times.push_back({9, 0, 5 * kMs});
  input.after.times.push_back({9, 0, 105 * kMs});
  input.after.times[2].ns += 200 * kMs;
  const auto ledger = xen_ledger(input);
  EXPECT_EQ(value(ledger, 2, "guest1", Layer::kernel), 200 * kMs);
  EXPECT_EQ(value(ledger, 3, "guest2", Layer::kernel), 100 * kMs);
  EXPECT_EQ(total(ledger, 3), 1000 * kMs);
}

}  // namespace
}  // namespace vtax::meter
