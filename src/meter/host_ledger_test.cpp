#include "meter/host_ledger.h"

#include <gtest/gtest.h>

#include "meter/ledger_rows_for_test.h"

namespace vtax::meter {
namespace {

using Role = MeteredProcess::Role;
using std::chrono::milliseconds;

// Two readings one second apart, on CPUs 0 and 1; nothing runs yet.
LedgerInput quiet_second() {
  LedgerInput input;
  input.after.at = input.before.at + std::chrono::seconds(1);
  for (const int cpu : {0, 1}) {
    input.before.cpus[cpu] = {};
    input.after.cpus[cpu] = {};
    input.after.cpus[cpu].idle = 100;
  }
  return input;
}

void add_thread(LedgerInput& input, int process, int parent, int thread, const std::string& name,
                std::uint64_t run_ns, std::uint64_t user, std::uint64_t system, std::uint64_t guest = 0) {
  constexpr std::uint64_t kEarlier = 5 * kMs;
  input.before.threads[thread] = {process, name, kEarlier, 7, 9, 2};
  input.after.threads[thread] = {process, name, kEarlier + run_ns, 7 + user, 9 + system, 2 + guest};
  input.after.parents[process] = parent;
}

TEST(HostLedger, RowsOfACpuAddUpToItsTime) {
  LedgerInput input = quiet_second();
  input.processes = {{10, Role::system, 1}, {20, Role::partner, 0}};
  add_thread(input, 10, 1, 10, "vtax", 300 * kMs, 10, 20);
  add_thread(input, 20, 1, 20, "vtax", 100 * kMs, 0, 10);
  input.after.cpus[1].user = 25;    // 250 ms of everybody
  input.after.cpus[1].system = 25;  // and 250 ms
  input.after.cpus[1].steal = 3;
  const auto ledger = host_ledger(input);
  EXPECT_EQ(total(ledger, 0), 1000 * kMs);
  EXPECT_EQ(total(ledger, 1), 1000 * kMs);
  EXPECT_EQ(value(ledger, 1, "host", Layer::program), 100 * kMs);  // 10 of 30 ticks
  EXPECT_EQ(value(ledger, 1, "host", Layer::kernel), 200 * kMs);
  EXPECT_EQ(value(ledger, 0, "host", Layer::kernel), 100 * kMs);
  EXPECT_EQ(value(ledger, 1, "elsewhere", Layer::elsewhere), 200 * kMs);  // 500 busy, 300 of them the trial's
  EXPECT_EQ(value(ledger, 1, "stolen", Layer::elsewhere), 30 * kMs);
  EXPECT_EQ(value(ledger, 1, "idle", Layer::idle), 470 * kMs);
}

TEST(HostLedger, EachGuestHasRowsOfItsOwn) {
  LedgerInput input = quiet_second();
  input.processes = {{10, Role::emulator, 1, 1}, {20, Role::emulator, 1, 2}};
  input.guest_programs_ns = {30 * kMs, 500 * kMs};
  add_thread(input, 10, 1, 11, "CPU 0/TCG", 100 * kMs, 10, 0);
  add_thread(input, 20, 1, 21, "CPU 0/TCG", 200 * kMs, 20, 0);
  const auto ledger = host_ledger(input);
  EXPECT_EQ(value(ledger, 1, "guest1", Layer::program), 30 * kMs);
  EXPECT_EQ(value(ledger, 1, "guest1", Layer::kernel), 70 * kMs);
  EXPECT_EQ(value(ledger, 1, "guest2", Layer::program), 200 * kMs);  // no more than its CPU ran
  EXPECT_EQ(value(ledger, 1, "guest2", Layer::kernel), 0U);
  EXPECT_EQ(total(ledger, 1), 1000 * kMs);
}

// Each of the two fields may be up to a tick more than was.
TEST(HostLedger, PacketsOnOthersBacksHaveNoTimeInWhichTheCpuWasIdle) {
  LedgerInput input = quiet_second();
  input.processes = {{10, Role::system, 1}};
  add_thread(input, 10, 1, 10, "vtax", 300 * kMs, 0, 30);
  input.after.cpus[1].system = 50;
  input.after.cpus[1].idle = 40;
  input.after.cpus[1].iowait = 10;
  input.packets_ns = {{1, 600 * kMs}};
  const auto ledger = host_ledger(input);
  EXPECT_EQ(value(ledger, 1, "host", Layer::kernel), (300 + 220) * kMs);
  EXPECT_EQ(value(ledger, 1, "idle", Layer::idle), 480 * kMs);
  EXPECT_EQ(total(ledger, 1), 1000 * kMs);
}

TEST(HostLedger, PacketsOnOthersBacksAreTheTrials) {
  for (const bool has_guest : {false, true}) {
    LedgerInput input = quiet_second();
    input.processes = {{10, has_guest ? Role::uml : Role::system, 1}};
    add_thread(input, 10, 1, 10, "vtax", 300 * kMs, 0, 30);
    input.after.cpus[1].system = 40;  // the trial's 300 ms, and 100 ms of ksoftirqd's
    input.after.cpus[1].idle = 60;
    input.packets_ns = {{1, 90 * kMs}};
    const auto ledger = host_ledger(input);
    EXPECT_EQ(has_guest ? value(ledger, 1, "host", Layer::driver, Part::kernel)
                        : value(ledger, 1, "host", Layer::kernel),
              390 * kMs);
    EXPECT_EQ(value(ledger, 1, "elsewhere", Layer::elsewhere), 10 * kMs);
    EXPECT_EQ(total(ledger, 1), 1000 * kMs);
  }
}

TEST(HostLedger, TimeThatNoTickSawIsUncharged) {
  LedgerInput input = quiet_second();
  input.processes = {{10, Role::system, 0}};
  add_thread(input, 10, 1, 10, "vtax", 4 * kMs, 0, 0);
  const auto ledger = host_ledger(input);
  EXPECT_EQ(value(ledger, 0, "host", Layer::uncharged), 4 * kMs);
  EXPECT_EQ(value(ledger, 0, "host", Layer::kernel), 0U);
}

TEST(HostLedger, AFewTicksDoNotSplitKernelFromProgram) {
  for (const std::uint64_t ticks : {3U, 4U}) {
    LedgerInput input = quiet_second();
    input.processes = {{10, Role::system, 0}};
    add_thread(input, 10, 1, 10, "vtax", 40 * kMs, ticks, 0);
    const auto ledger = host_ledger(input);
    EXPECT_EQ(value(ledger, 0, "host", ticks < 4 ? Layer::uncharged : Layer::program), 40 * kMs);
  }
}

TEST(HostLedger, AnEmulatorsThreadsAreToldApart) {
  LedgerInput input = quiet_second();
  input.processes = {{10, Role::emulator, 1}, {20, Role::partner, 0}};
  input.guest_programs_ns = {30 * kMs};
  add_thread(input, 10, 1, 10, "qemu-system-x86", 40 * kMs, 1, 3);
  add_thread(input, 10, 1, 11, "CPU 0/TCG", 200 * kMs, 15, 5);
  add_thread(input, 20, 1, 20, "vtax", 10 * kMs, 0, 1);
  const auto ledger = host_ledger(input);
  EXPECT_EQ(value(ledger, 1, "guest1", Layer::program), 30 * kMs);  // as the guest says
  EXPECT_EQ(value(ledger, 1, "guest1", Layer::kernel), 120 * kMs);  // the rest of 150
  EXPECT_EQ(value(ledger, 1, "host", Layer::driver, Part::program), 10 * kMs);
  EXPECT_EQ(value(ledger, 1, "host", Layer::driver, Part::kernel), 30 * kMs + 50 * kMs);
  EXPECT_EQ(value(ledger, 0, "host", Layer::driver, Part::kernel), 10 * kMs);
}

TEST(HostLedger, AGuestCannotClaimMoreThanItsCpuRan) {
  LedgerInput input = quiet_second();
  input.processes = {{10, Role::emulator, 1}};
  input.guest_programs_ns = {~std::uint64_t{0}};
  add_thread(input, 10, 1, 11, "CPU 0/TCG", 200 * kMs, 20, 0);
  const auto ledger = host_ledger(input);
  EXPECT_EQ(value(ledger, 1, "guest1", Layer::program), 200 * kMs);
  EXPECT_EQ(total(ledger, 1), 1000 * kMs);
}

// Its clock went on while others had its CPU: it says 800 ms of a program, and its CPU ran 200.
TEST(HostLedger, AGuestThatSaysBothIsDividedInProportion) {
  for (const Role role : {Role::emulator, Role::kvm}) {
    LedgerInput input = quiet_second();
    input.processes = {{10, role, 1, 1}, {20, role, 1, 2}};
    input.guest_programs_ns = {800 * kMs, 30 * kMs};
    input.guest_kernels_ns = {200 * kMs, 0};
    const char* const name = role == Role::kvm ? "CPU 0/KVM" : "CPU 0/TCG";
    add_thread(input, 10, 1, 11, name, 200 * kMs, 20, 0, role == Role::kvm ? 20 : 0);
    add_thread(input, 20, 1, 21, name, 50 * kMs, 5, 0, role == Role::kvm ? 5 : 0);
    const auto ledger = host_ledger(input);
    EXPECT_EQ(value(ledger, 1, "guest1", Layer::program), 160 * kMs);
    EXPECT_EQ(value(ledger, 1, "guest1", Layer::kernel), 40 * kMs);
    EXPECT_EQ(value(ledger, 1, "guest2", Layer::uncharged), 50 * kMs);  // three ticks
    EXPECT_EQ(value(ledger, 1, "guest2", Layer::program), 0U);
    EXPECT_EQ(total(ledger, 1), 1000 * kMs);
  }
}

TEST(HostLedger, KvmsGuestTimeIsTheGuests) {
  LedgerInput input = quiet_second();
  input.processes = {{10, Role::kvm, 1}};
  input.guest_programs_ns = {20 * kMs};
  add_thread(input, 10, 1, 11, "CPU 0/KVM", 200 * kMs, 16, 4, 12);  // 120 ms in the guest, 40 ms in QEMU
  add_thread(input, 10, 1, -77, "vhost-812", 50 * kMs, 0, 5);       // the kernel's thread, under QEMU's name
  const auto ledger = host_ledger(input);
  EXPECT_EQ(value(ledger, 1, "guest1", Layer::program), 20 * kMs);
  EXPECT_EQ(value(ledger, 1, "guest1", Layer::kernel), 100 * kMs);
  EXPECT_EQ(value(ledger, 1, "host", Layer::driver, Part::program), 40 * kMs);
  EXPECT_EQ(value(ledger, 1, "host", Layer::driver, Part::kernel), 40 * kMs + 50 * kMs);
  EXPECT_EQ(total(ledger, 1), 1000 * kMs);
}

TEST(HostLedger, UmlsChildrenAreItsPrograms) {
  LedgerInput input = quiet_second();
  input.processes = {{10, Role::uml, 1}};
  add_thread(input, 10, 1, 10, "linux.uml", 100 * kMs, 5, 5);
  add_thread(input, 12, 10, 12, "linux.uml", 60 * kMs, 4, 2);
  add_thread(input, 30, 1, 30, "other", 60 * kMs, 4, 2);  // nobody's
  const auto ledger = host_ledger(input);
  EXPECT_EQ(value(ledger, 1, "guest1", Layer::kernel), 50 * kMs);
  EXPECT_EQ(value(ledger, 1, "guest1", Layer::program), 40 * kMs);
  EXPECT_EQ(value(ledger, 1, "host", Layer::driver, Part::kernel), 70 * kMs);
}

// One that began before the first reading, and had run 5 ms by then.
TEST(HostLedger, UmlsEndedChildrenAreItsPrograms) {
  LedgerInput input = quiet_second();
  input.processes = {{10, Role::uml, 1}};
  add_thread(input, 10, 1, 10, "linux.uml", 100 * kMs, 5, 5);
  input.before.threads[12] = {12, "linux.uml", 5 * kMs, 0, 0, 0};
  input.before.parents = {{10, 1}, {12, 10}};
  input.before.ended[10] = {0, 100, 50};
  input.after.ended[10] = {0, 106, 53};
  const auto ledger = host_ledger(input);
  EXPECT_EQ(value(ledger, 1, "guest1", Layer::kernel), 50 * kMs);
  EXPECT_NEAR(static_cast<double>(value(ledger, 1, "guest1", Layer::program)), 85e6 * 2 / 3, 1e3);
  EXPECT_NEAR(static_cast<double>(value(ledger, 1, "host", Layer::driver, Part::kernel)), 50e6 + 85e6 / 3,
              1e3);
  EXPECT_EQ(total(ledger, 1), 1000 * kMs);
}

// A client that began before the first reading, and its parent, that says exactly what it was; a server, of
// whose threads and children some have ended.
TEST(HostLedger, WhatHasEndedIsItsParents) {
  LedgerInput input = quiet_second();
  input.processes = {{10, Role::partner, 0}, {20, Role::system, 1}};
  add_thread(input, 10, 1, 10, "vtax", 0, 0, 0);
  add_thread(input, 20, 1, 20, "server", 0, 0, 0);
  input.before.threads[11] = {11, "client", 3 * kMs, 0, 0, 0};
  input.before.parents = {{10, 1}, {11, 10}, {20, 1}};
  input.after.ended[10] = {0, 99, 99};
  input.awaited[10] = {101 * kMs, 302 * kMs};
  input.before.ended[20] = {5 * kMs, 1, 2};
  input.after.ended[20] = {45 * kMs, 7, 4};  // 40 ms of threads; 60 and 20 ms of children
  const auto ledger = host_ledger(input);
  EXPECT_NEAR(static_cast<double>(value(ledger, 0, "host", Layer::program)), 400e6 * 101 / 403, 10);
  EXPECT_NEAR(static_cast<double>(value(ledger, 0, "host", Layer::kernel)), 400e6 * 302 / 403, 10);
  EXPECT_EQ(value(ledger, 1, "host", Layer::program), 90 * kMs);  // 120 ms, three quarters of them
  EXPECT_EQ(value(ledger, 1, "host", Layer::kernel), 30 * kMs);
  for (const int cpu : {0, 1}) EXPECT_EQ(total(ledger, cpu), 1000 * kMs);
}

// A thread that ran for ten seconds, and its process's children for one, before the window in which they end.
TEST(HostLedger, WhatHasEndedHasNothingFromBeforeTheWindow) {
  LedgerInput input = quiet_second();
  input.processes = {{10, Role::system, 0}, {20, Role::system, 1}};
  add_thread(input, 10, 1, 10, "server", 0, 0, 0);
  input.before.threads[12] = {10, "worker", 10'000 * kMs, 0, 0, 0};
  input.before.threads[11] = {11, "child", 2'000 * kMs, 0, 0, 0};
  input.before.parents = {{10, 1}, {11, 10}, {20, 1}, {21, 20}};
  input.before.ended[11] = {500 * kMs, 30, 20};
  input.after.ended[10] = {10'030 * kMs, 200, 110};  // the worker's 30 ms, the child's 100 ms
  // A child for which nobody waits.
  add_thread(input, 20, 1, 20, "server", 40 * kMs, 4, 0);
  input.before.threads[21] = {21, "child", 300 * kMs, 0, 0, 0};
  const auto ledger = host_ledger(input);
  EXPECT_EQ(value(ledger, 0, "host", Layer::program) + value(ledger, 0, "host", Layer::kernel), 130 * kMs);
  EXPECT_EQ(value(ledger, 1, "host", Layer::program), 40 * kMs);
}

TEST(HostLedger, AParentLoopEnds) {
  LedgerInput input = quiet_second();
  input.processes = {{10, Role::system, 0}};
  add_thread(input, 40, 41, 40, "a", 60 * kMs, 4, 2);
  input.after.parents[41] = 40;
  EXPECT_EQ(total(host_ledger(input), 0), 1000 * kMs);
}

}  // namespace
}  // namespace vtax::meter
