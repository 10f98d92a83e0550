#include "watch/charge.h"

#include <gtest/gtest.h>

#include <numeric>
#include <random>

namespace vtax::watch {
namespace {

using meter::ClockedTime;
using meter::ClockKey;
using meter::ClockMode;
using meter::DeviceKey;
using std::chrono::milliseconds;

constexpr std::uint64_t kMs = 1'000'000;
constexpr std::uint32_t kHere = 77, kInside = 78;  // network namespaces

KnownGuest known(const char* name, GuestKind kind, int process) {
  KnownGuest guest;
  guest.name = name;
  guest.identity = std::string("of ") + name;
  guest.id = std::to_string(process);
  guest.kind = kind;
  if (process > 0) guest.processes.push_back(process);
  return guest;
}

// 0: container "box", process 10; 1: KVM "machine", process 20, its virtual CPU's thread 21, its tap 5, its
// vhost thread 30; process 50 is anybody's, 60 is vtax, 9 ksoftirqd/0, 8 another of the kernel's.
Inventory two_guests() {
  Inventory inventory;
  inventory.guests = {known("box", GuestKind::container, 10), known("machine", GuestKind::kvm, 20)};
  inventory.processes = {{10, {Part::own, 0, -1}},    {20, {Part::helper, 1, -1}},
                         {30, {Part::helper, 1, -1}}, {50, {Part::elsewhere, 0, -1}},
                         {60, {Part::vtax, 0, -1}},   {9, {Part::softirqs, 0, -1}},
                         {8, {Part::driver, 0, -1}}};
  inventory.threads = {{21, {Part::own, 1, 0}}};
  inventory.devices[{kHere, 5}] = {1};
  inventory.namespaces[kInside] = {0};
  return inventory;
}

Look look_at(int milliseconds_later) {
  Look look;
  look.at = std::chrono::steady_clock::time_point(milliseconds(1000 + milliseconds_later));
  for (int cpu = 0; cpu < 2; ++cpu) look.ticks[cpu] = {};
  look.clock_sees_guests = true;
  look.guests["of box"];
  look.guests["of machine"];
  return look;
}

ClockedTime time_of(int process, int thread, ClockMode mode, std::uint64_t ns, int cpu = 0,
                    DeviceKey came = {}, DeviceKey left = {}) {
  ClockKey key;
  key.process = static_cast<std::uint32_t>(process);
  key.thread = static_cast<std::uint32_t>(thread);
  key.mode = mode;
  key.came = came;
  key.left = left;
  return {key, cpu, ns};
}

void lap(Look& look, std::vector<ClockedTime> times, std::uint64_t span = 100 * kMs) {
  look.lap.emplace();
  std::map<int, std::uint64_t> sums;
  for (const auto& time : times) sums[time.cpu] += time.ns;
  for (const auto& [cpu, sum] : sums) {
    look.lap->span_ns[cpu] = span;
    if (sum < span) times.push_back(time_of(0, 0, ClockMode::thread, span - sum, cpu));
  }
  look.lap->times = std::move(times);
}

void expect_sums(const Reading& reading, std::uint64_t all) {
  std::uint64_t sum = reading.other.total();
  for (const GuestUse& guest : reading.guests) sum += guest.own_ns + guest.caused.total();
  EXPECT_EQ(sum, all);
  EXPECT_EQ(reading.all_cpus_ns, all);
  std::uint64_t by_cpu = 0;
  for (const CpuUse& cpu : reading.cpus) by_cpu += cpu.guests_ns + cpu.caused_ns + cpu.other.total();
  if (!reading.cpus.empty()) {
    EXPECT_EQ(by_cpu, all);
  }
}

TEST(Divide, IsExactWhateverTheWeights) {
  EXPECT_EQ(divide(10, {1, 1, 1}), (std::vector<std::uint64_t>{3, 3, 4}));
  EXPECT_EQ(divide(7, {0, 5, 0}), (std::vector<std::uint64_t>{0, 7, 0}));
  EXPECT_EQ(divide(7, {0, 0}), (std::vector<std::uint64_t>{0, 0}));
  std::mt19937_64 random(1);
  for (int round = 0; round < 200; ++round) {
    std::vector<std::uint64_t> weights(1 + random() % 40);
    for (auto& weight : weights) weight = random() >> (random() % 64);
    weights[0] = std::max<std::uint64_t>(weights[0], 1);
    const std::uint64_t total = random() >> (random() % 64);
    const auto parts = divide(total, weights);
    EXPECT_EQ(std::accumulate(parts.begin(), parts.end(), std::uint64_t{0}), total);
  }
}

TEST(Charge, EachTimeGoesToWhomItIsFor) {
  const Look before = look_at(0);
  Look after = look_at(100);
  lap(after,
      {
          time_of(10, 11, ClockMode::thread, 20 * kMs),                   // a task of the container
          time_of(10, 11, ClockMode::packets, 3 * kMs, 0, {kInside, 2}),  // its own packet on its back
          time_of(10, 11, ClockMode::packets, 4 * kMs, 0, {kHere, 5}),    // the machine's on its back
          time_of(20, 21, ClockMode::guest, 30 * kMs, 1),                 // the guest runs
          time_of(20, 21, ClockMode::thread, 5 * kMs, 1),                 // KVM for it
          time_of(20, 22, ClockMode::thread, 2 * kMs, 1),                 // QEMU
          time_of(30, 30, ClockMode::thread, 6 * kMs, 1),                 // vhost
          time_of(0, 0, ClockMode::packets, 7 * kMs, 1, {kHere, 2}, {kHere, 5}),  // comes by the card for it
          time_of(0, 0, ClockMode::packets, 1 * kMs, 1, {kHere, 2}),              // the host's own
          time_of(50, 50, ClockMode::thread, 8 * kMs, 0),
          time_of(60, 60, ClockMode::thread, 1 * kMs, 0),
          time_of(8, 8, ClockMode::thread, 2 * kMs, 0),
      });
  const Reading reading = charge(before, after, two_guests(), ChargeBy::work);
  expect_sums(reading, 200 * kMs);
  const GuestUse &box = reading.guests[0], &machine = reading.guests[1];
  EXPECT_EQ(box.own_ns, 20 * kMs);
  EXPECT_EQ(box.caused.packets_ns, 3 * kMs);
  EXPECT_EQ(machine.own_ns, 30 * kMs);
  EXPECT_EQ(machine.caused.threads_ns, 13 * kMs);
  EXPECT_EQ(machine.caused.packets_ns, 11 * kMs);
  ASSERT_EQ(machine.virtual_cpus.size(), 1U);
  EXPECT_EQ(machine.virtual_cpus[0].own_ns, 30 * kMs);
  EXPECT_EQ(machine.virtual_cpus[0].cpu, 1);
  EXPECT_EQ(reading.other.elsewhere_ns, 8 * kMs);
  EXPECT_EQ(reading.other.vtax_ns, 1 * kMs);
  EXPECT_EQ(reading.other.driver_ns, 3 * kMs);
  EXPECT_TRUE(reading.shared_by.empty());
  ASSERT_EQ(reading.cpus.size(), 2U);
  EXPECT_EQ(reading.cpus[0].guests_ns, 20 * kMs);
  EXPECT_EQ(reading.cpus[0].caused_ns, 7 * kMs);
}

// Softirqs without a packet and ksoftirqd's own time: as what was told apart on the same CPU.
TEST(Charge, WhatNoRuleTellsApartIsSharedOnItsCpu) {
  const Look before = look_at(0);
  Look after = look_at(100);
  lap(after, {time_of(0, 0, ClockMode::packets, 6 * kMs, 0, {kHere, 5}),
              time_of(0, 0, ClockMode::packets, 3 * kMs, 0, {kInside, 2}),
              time_of(9, 9, ClockMode::thread, 9 * kMs, 0), time_of(0, 0, ClockMode::packets, 2 * kMs, 1)});
  const Reading reading = charge(before, after, two_guests(), ChargeBy::work);
  expect_sums(reading, 200 * kMs);
  EXPECT_EQ(reading.guests[0].caused.shared_ns, 3 * kMs);
  EXPECT_EQ(reading.guests[1].caused.shared_ns, 6 * kMs);
  EXPECT_EQ(reading.other.driver_ns, 2 * kMs) << "on a CPU on which nothing was done for a guest";
  EXPECT_NE(reading.shared_by.find("same CPU"), std::string::npos);
}

// The host's own packets take their part of it.
TEST(Charge, ACardsInterruptsAreSharedWithTheHost) {
  Inventory inventory = two_guests();
  inventory.network_interrupts = {33};
  const Look before = look_at(0);
  Look after = look_at(100);
  ClockedTime of_card = time_of(0, 0, ClockMode::interrupt, 8 * kMs), of_disk = of_card;
  of_card.key.interrupt = 33;
  of_disk.key.interrupt = 34;
  lap(after, {of_card, of_disk, time_of(0, 0, ClockMode::packets, 6 * kMs, 0, {kHere, 5}),
              time_of(0, 0, ClockMode::packets, 2 * kMs, 0, {kHere, 2})});
  const Reading reading = charge(before, after, inventory, ChargeBy::work);
  expect_sums(reading, 100 * kMs);
  EXPECT_EQ(reading.guests[1].caused.shared_ns, 6 * kMs);
  EXPECT_EQ(reading.other.driver_ns, 8 * kMs + 2 * kMs + 2 * kMs);
}

// What a card's poll does between packets is theirs by their segments, a part of it the host's own, on whose
// back it was; a poll of a guest's device is the guest's.
TEST(Charge, APollIsSharedBySegments) {
  const Look before = look_at(0);
  Look after = look_at(100);
  const DeviceKey card{kHere, 2}, tap{kHere, 5};
  ClockedTime for_guest = time_of(0, 0, ClockMode::packets, 1 * kMs, 0, card, tap),
              for_host = time_of(0, 0, ClockMode::packets, 2 * kMs, 0, card);
  for_guest.segments = 45;
  for_host.segments = 15;
  lap(after,
      {for_guest, for_host, time_of(0, 0, ClockMode::poll, 6 * kMs, 0, card),
       time_of(50, 50, ClockMode::poll, 6 * kMs, 0, card), time_of(0, 0, ClockMode::poll, 4 * kMs, 0, tap)});
  const Reading reading = charge(before, after, two_guests(), ChargeBy::work);
  expect_sums(reading, 100 * kMs);
  EXPECT_EQ(reading.guests[1].caused.packets_ns, (1 + 9 + 4) * kMs);
  EXPECT_EQ(reading.guests[1].caused.shared_ns, 0U);
  EXPECT_EQ(reading.other.elsewhere_ns, 1'500'000U);
  EXPECT_EQ(reading.other.driver_ns, 2 * kMs + 1'500'000U);
}

TEST(Charge, SeveralInANetworkShareItsPackets) {
  Inventory inventory = two_guests();
  inventory.guests.push_back(known("sidecar", GuestKind::container, 40));
  inventory.processes[40] = {Part::own, 2, -1};
  inventory.namespaces[kInside] = {0, 2};
  const Look before = look_at(0);
  Look after = look_at(100);
  lap(after, {time_of(10, 10, ClockMode::thread, 30 * kMs), time_of(40, 40, ClockMode::thread, 10 * kMs),
              time_of(0, 0, ClockMode::packets, 8 * kMs, 0, {kInside, 2})});
  const Reading reading = charge(before, after, inventory, ChargeBy::work);
  expect_sums(reading, 100 * kMs);
  EXPECT_EQ(reading.guests[0].caused.shared_ns, 6 * kMs);
  EXPECT_EQ(reading.guests[2].caused.shared_ns, 2 * kMs);
}

// Processes that came and went: the control group has counted them.
TEST(Charge, ShortLivedTasksAreTheirContainers) {
  const Look seen = look_at(0);
  Look before = seen, after = look_at(100);
  before.guests["of box"].group.emplace().busy_ns = 1000 * kMs;
  after.guests["of box"].group.emplace().busy_ns = 1025 * kMs;
  lap(after,
      {time_of(10, 10, ClockMode::thread, 5 * kMs), time_of(12345, 12345, ClockMode::thread, 30 * kMs)});
  const Reading reading = charge(before, after, two_guests(), ChargeBy::work);
  expect_sums(reading, 100 * kMs);
  EXPECT_EQ(reading.guests[0].own_ns, 25 * kMs);
  EXPECT_EQ(reading.other.elsewhere_ns, 10 * kMs);
}

TEST(Charge, WhatWasStolenIsNobodys) {
  const Look before = look_at(0);
  Look after = look_at(100);
  after.ticks[0].steal = 2;
  lap(after, {time_of(10, 10, ClockMode::thread, 40 * kMs), time_of(50, 50, ClockMode::thread, 40 * kMs)});
  const Reading reading = charge(before, after, two_guests(), ChargeBy::work);
  expect_sums(reading, 100 * kMs);
  EXPECT_EQ(reading.other.stolen_ns, 20 * kMs);
  EXPECT_EQ(reading.guests[0].own_ns, 30 * kMs);
  EXPECT_EQ(reading.other.idle_ns, 20 * kMs);
}

// A tick of steal is up to two ticks of time, and may be hardly any.
TEST(Charge, OneTickOfStealDoesNotTakeAllThatAnIdleCpuDid) {
  const Look before = look_at(0);
  Look after = look_at(100);
  after.ticks[0].steal = 1;
  lap(after, {time_of(10, 10, ClockMode::thread, 6 * kMs)});
  const Reading reading = charge(before, after, two_guests(), ChargeBy::work);
  expect_sums(reading, 100 * kMs);
  EXPECT_EQ(reading.other.stolen_ns, 3 * kMs);
  EXPECT_EQ(reading.guests[0].own_ns, 3 * kMs);
}

meter::ThreadReading thread_that_ran(std::uint64_t ns, std::uint64_t born, std::uint64_t guest_ticks = 0) {
  return {"", born, {ns, 0, 0}, guest_ticks, 0};
}

TEST(Charge, WithoutTheClockThreadsAndTicksAreLeft) {
  Look before = look_at(0), after = look_at(100);
  before.clock_sees_guests = after.clock_sees_guests = false;
  before.guests["of machine"].all_threads = after.guests["of machine"].all_threads = true;
  before.guests["of machine"].threads[21] = thread_that_ran(500 * kMs, 7, 10);
  after.guests["of machine"].threads[21] = thread_that_ran(550 * kMs, 7, 13);
  after.ticks[0].idle = 9;
  after.ticks[1].softirq = 1;
  const Reading reading = charge(before, after, two_guests(), ChargeBy::work);
  expect_sums(reading, 200 * kMs);
  EXPECT_TRUE(reading.cpus.empty());
  EXPECT_EQ(reading.guests[1].own_ns, 30 * kMs);
  EXPECT_EQ(reading.guests[1].caused.threads_ns, 20 * kMs);
  EXPECT_EQ(reading.other.idle_ns, 90 * kMs);
  EXPECT_EQ(reading.other.uncharged_ns, 10 * kMs);
  EXPECT_EQ(reading.other.elsewhere_ns, 50 * kMs);
}

// A process whose number was given again, a counter that ran backwards: never a huge number.
TEST(Charge, NothingRunsBackwards) {
  Look before = look_at(0), after = look_at(100);
  before.guests["of machine"].all_threads = after.guests["of machine"].all_threads = true;
  before.guests["of machine"].threads[21] = thread_that_ran(900'000 * kMs, 7);
  after.guests["of machine"].threads[21] = thread_that_ran(3 * kMs, 8);
  before.guests["of box"].group.emplace().busy_ns = 1000;
  after.guests["of box"].group.emplace().busy_ns = 10;
  before.guests["of box"].network = NetworkUse{10, 10, 10, 10, 10};
  after.guests["of box"].network = NetworkUse{1, 1, 1, 1, 1};
  before.ticks[0].idle = 100;
  const Reading reading = charge(before, after, two_guests(), ChargeBy::work);
  expect_sums(reading, 200 * kMs);
  EXPECT_EQ(reading.guests[1].caused.total() + reading.guests[1].own_ns, 3 * kMs);
  EXPECT_EQ(reading.guests[0].own_ns, 0U);
  EXPECT_EQ(reading.guests[0].network->received_packets, 0U);
}

// Equations 4.6 and 4.7.
TEST(Charge, ByPacketsAllDriverWorkGoesByPackets) {
  Look before = look_at(0), after = look_at(100);
  before.guests["of box"].network.emplace();
  before.guests["of machine"].network.emplace();
  after.guests["of box"].network = NetworkUse{100, 50, 0, 0, 0};
  after.guests["of machine"].network = NetworkUse{40, 10, 0, 0, 0};
  lap(after, {time_of(30, 30, ClockMode::thread, 30 * kMs), time_of(8, 8, ClockMode::thread, 10 * kMs),
              time_of(10, 10, ClockMode::thread, 20 * kMs), time_of(50, 50, ClockMode::thread, 20 * kMs)});
  Reading reading = charge(before, after, two_guests(), ChargeBy::packets);
  expect_sums(reading, 100 * kMs);
  EXPECT_EQ(reading.guests[0].caused.shared_ns, 30 * kMs);
  EXPECT_EQ(reading.guests[1].caused.shared_ns, 10 * kMs);
  EXPECT_EQ(reading.guests[1].caused.threads_ns, 0U);
  EXPECT_EQ(reading.other.elsewhere_ns, 20 * kMs);
  EXPECT_NE(reading.shared_by.find("4.7"), std::string::npos);
  // Nobody had a packet: nobody is charged.
  after.guests["of box"].network = after.guests["of machine"].network = NetworkUse{};
  reading = charge(before, after, two_guests(), ChargeBy::packets);
  expect_sums(reading, 100 * kMs);
  EXPECT_EQ(reading.other.uncharged_ns, 40 * kMs);
}

Inventory xen_guests() {
  Inventory inventory;
  for (const int number : {1, 2}) {
    KnownGuest guest = known(number == 1 ? "first" : "second", GuestKind::xen, 0);
    guest.domain = number;
    inventory.guests.push_back(guest);
  }
  inventory.processes = {
      {101, {Part::helper, 0, -1}}, {102, {Part::helper, 1, -1}}, {50, {Part::elsewhere, 0, -1}}};
  inventory.devices[{kHere, 5}] = {0};
  inventory.devices[{kHere, 6}] = {1};
  inventory.interrupts = {{40, 0}};
  return inventory;
}

void xen(Look& look, std::uint64_t dom0, std::uint64_t first, std::uint64_t second, std::uint8_t handle = 1) {
  look.xen.emplace();
  look.xen->physical_cpus = 3;
  look.xen->domains[0] = {{}, {dom0}, {0}};
  look.xen->domains[1] = {{1}, {first}, {1}};
  look.xen->domains[2] = {{handle}, {second}, {2}};
}

TEST(Charge, OnXenItsCountersAreTheSumsAndDomain0sClockTellsThemApart) {
  Look before = look_at(0), after = look_at(100);
  xen(before, 1000 * kMs, 500 * kMs, 500 * kMs);
  xen(after, 1060 * kMs, 550 * kMs, 580 * kMs);
  ClockedTime interrupt = time_of(0, 0, ClockMode::interrupt, 2 * kMs);
  interrupt.key.interrupt = 40;
  // 50 of the 60 ms of Domain-0 are in its clock.
  lap(after, {time_of(101, 101, ClockMode::thread, 20 * kMs), time_of(102, 102, ClockMode::thread, 10 * kMs),
              time_of(0, 0, ClockMode::packets, 8 * kMs, 0, {kHere, 5}), interrupt,
              time_of(50, 50, ClockMode::thread, 10 * kMs)});
  const Reading reading = charge(before, after, xen_guests(), ChargeBy::work);
  expect_sums(reading, 300 * kMs);
  EXPECT_EQ(reading.driver, "Domain-0");
  EXPECT_TRUE(reading.cpus.empty());
  EXPECT_EQ(reading.guests[0].own_ns, 50 * kMs);
  EXPECT_EQ(reading.guests[1].own_ns, 80 * kMs);
  EXPECT_EQ(reading.guests[0].caused.threads_ns, 20 * kMs);
  EXPECT_EQ(reading.guests[0].caused.packets_ns, 10 * kMs);
  // The 10 ms that the clock has not: as the 30 and 10 that it has.
  EXPECT_EQ(reading.guests[0].caused.shared_ns, 7'500'000U);
  EXPECT_EQ(reading.guests[1].caused.shared_ns, 2'500'000U);
  EXPECT_EQ(reading.other.elsewhere_ns, 10 * kMs);
  EXPECT_EQ(reading.other.idle_ns, 110 * kMs);
  EXPECT_EQ(reading.guests[1].virtual_cpus.at(0).cpu, 2);
}

// Where another domain took Domain-0's CPU, its clock ran on.
TEST(Charge, OnXenStolenTimeIsTakenFromWhatSeemedToRun) {
  Look before = look_at(0), after = look_at(100);
  xen(before, 1000 * kMs, 500 * kMs, 500 * kMs);
  xen(after, 1030 * kMs, 570 * kMs, 500 * kMs);
  lap(after, {time_of(101, 101, ClockMode::thread, 40 * kMs), time_of(50, 50, ClockMode::thread, 20 * kMs)});
  const Reading reading = charge(before, after, xen_guests(), ChargeBy::work);
  expect_sums(reading, 300 * kMs);
  EXPECT_EQ(reading.guests[0].caused.threads_ns, 20 * kMs);
  EXPECT_EQ(reading.other.elsewhere_ns, 10 * kMs);
  EXPECT_EQ(reading.other.stolen_ns, 0U);
}

TEST(Charge, ADomainUnderAnothersNumberBeginsAnew) {
  Look before = look_at(0), after = look_at(100);
  xen(before, 0, 0, 900'000 * kMs, 2);
  xen(after, 0, 0, 7 * kMs, 3);
  lap(after, {});
  after.lap->span_ns[0] = 100 * kMs;
  const Reading reading = charge(before, after, xen_guests(), ChargeBy::work);
  EXPECT_EQ(reading.guests[1].own_ns, 7 * kMs);
  EXPECT_EQ(reading.all_cpus_ns, 300 * kMs);
}

// Whatever the books say, the rows add up.
TEST(Charge, AnyBooksAddUp) {
  std::mt19937_64 random(9);
  const auto below = [&](std::uint64_t limit) { return random() % limit; };
  for (int round = 0; round < 3000; ++round) {
    Look before = look_at(0), after = look_at(100);
    const int processes[] = {0, 8, 9, 10, 20, 30, 50, 60, 12345},
              threads[] = {0, 8, 9, 11, 21, 30, 50, 60, 12345};
    const DeviceKey devices[] = {{}, {kHere, 5}, {kHere, 2}, {kInside, 2}};
    std::vector<ClockedTime> times;
    std::uint64_t all = 0;
    after.lap.emplace();
    for (int cpu = 0; cpu < 2; ++cpu) {
      std::uint64_t sum = 0;
      for (int i = 0; i < 12; ++i) {
        const auto who = below(9);
        times.push_back(time_of(processes[who], threads[who], static_cast<ClockMode>(below(6)),
                                below(20 * kMs), cpu, devices[below(4)], devices[below(4)]));
        times.back().segments = below(50);
        sum += times.back().ns;
      }
      // The clock may have lost time, or have had some twice.
      const std::uint64_t span = below(2) == 0 ? sum : sum + 1000 - below(2000);
      after.lap->span_ns[cpu] = span;
      all += span;
      after.ticks[cpu].steal = below(4) == 0 ? below(10) : 0;
    }
    after.lap->times = std::move(times);
    for (const char* name : {"of box", "of machine"}) {
      before.guests[name].network = NetworkUse{below(100), below(100), 0, 0, 0};
      after.guests[name].network = NetworkUse{below(200), below(200), 0, 0, 0};
      before.guests[name].group.emplace().busy_ns = below(100 * kMs);
      after.guests[name].group.emplace().busy_ns = below(200 * kMs);
    }
    after.clock_sees_guests = below(2) == 0;
    const auto by = below(2) == 0 ? ChargeBy::work : ChargeBy::packets;
    expect_sums(charge(before, after, two_guests(), by), all);
    if (HasFailure()) return;
  }
}

}  // namespace
}  // namespace vtax::watch
