#include "simulate/simulated_trial.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "record/trial_check.h"
#include "simulate/simulated_mix.h"

namespace vtax::simulate {
namespace {

using testing::HasSubstr;

std::map<std::string, std::string> factors_of(const std::string& workload) {
  return {{"platform", "xen-pv"}, {"workload", workload}, {"topology", "card"}, {"cpu_mips", "1000"}};
}

// One guest's cell: the guest 10, the driver domain 20 and the peer 5 thousand instructions for each of its
// `amount`.
PricedCell prices_of(const std::map<std::string, std::string>& factors, std::uint64_t amount) {
  PricedCell cell;
  cell.factors = factors;
  cell.spec = *trial_spec_of(factors);
  cell.guest = {{{Layer::hypervisor, Part::none}, 2'000 * amount},
                {{Layer::kernel, Part::none}, 8'000 * amount}};
  cell.driver = {{{Layer::driver, Part::kernel}, 20'000 * amount}};
  cell.peer = 5'000 * amount;
  return cell;
}

Trial run(const SimulatedTrial& wanted, const PricedCell& prices) {
  Trial trial;
  trial.factors = factors_of("cpu-loop");
  const auto done = simulate(wanted, prices, trial);
  EXPECT_TRUE(done) << (done ? "" : done.error().text());
  EXPECT_TRUE(check(trial)) << check(trial).error().why;
  return trial;
}

SimulatedTrial exchanges(int guests, GuestCpu where) {
  auto factors = factors_of("tcp-rr");
  factors["transactions"] = "1000";
  SimulatedTrial wanted{*trial_spec_of(factors), SchedulerKind::credit2, 1};
  wanted.spec.guests = guests;
  wanted.spec.guest_cpu = where;
  return wanted;
}
PricedCell price_of_exchanges() {
  auto factors = factors_of("tcp-rr");
  factors["transactions"] = "1000";
  PricedCell prices = prices_of(factors, 1000);
  prices.work = {Bytes(2000), Packets(2002), Transactions(1000)};
  return prices;
}

// One exchange at a time takes what all of its stations take.
TEST(SimulatedTrial, AnExchangeIsTheSumOfItsCosts) {
  const Trial trial = run(exchanges(1, GuestCpu::own), price_of_exchanges());
  EXPECT_EQ(trial.window_virtual_ns, 1000U * 35'000);
  ASSERT_EQ(trial.waiting.size(), 1U);
  EXPECT_EQ(trial.waiting[0].p50_ns, 35'000U);
  EXPECT_EQ(trial.waiting[0].most_ns, 35'000U);
  EXPECT_EQ(trial.work.transactions.value, 1000U);
  ASSERT_EQ(trial.busy.size(), 3U);
  EXPECT_EQ(trial.busy[0], (Busy{0, "Domain-0", 20'000'000}));
  EXPECT_EQ(trial.busy[1], (Busy{1, "peer", 5'000'000}));
  EXPECT_EQ(trial.busy[2], (Busy{2, "guest1", 10'000'000}));
  EXPECT_EQ(trial.machine_total.value, 30'000'000U);
}

// Two applications whose guests have CPUs of their own meet in the driver domain alone, whose 20 us each may
// have to wait for the other's twice.
TEST(SimulatedMix, ApplicationsWaitForEachOther) {
  const MixedApplication one{exchanges(1, GuestCpu::own).spec, price_of_exchanges(), 1000};
  const auto alone = simulate_mix({one}, SchedulerKind::credit2, 1);
  ASSERT_TRUE(alone) << alone.error().text();
  EXPECT_EQ(alone->front().p99_ns, 35'000U);
  EXPECT_NEAR(alone->front().a_second, 1000, 10);
  const auto both = simulate_mix({one, one}, SchedulerKind::credit2, 1);
  ASSERT_TRUE(both) << both.error().text();
  for (const MixedOutcome& outcome : *both) {
    EXPECT_GE(outcome.p99_ns, 35'000U);
    EXPECT_LE(outcome.p99_ns, 35'000U + 2 * 20'000U);
    EXPECT_NEAR(outcome.a_second, 1000, 10);
  }
  MixedApplication dense = one;
  dense.a_second = 100'000;  // one after the other 35 us are 28,571 a second
  const auto full = simulate_mix({one, dense}, SchedulerKind::credit2, 1);
  ASSERT_TRUE(full) << full.error().text();
  EXPECT_LT((*full)[1].a_second, 28'600);
  EXPECT_GT((*full)[0].p99_ns, both->front().p99_ns);
}

// The lab's peer has idle loops among its work, and some waits are nobody's work.
TEST(SimulatedTrial, AnExchangeTakesNoOtherTimeThanThePricedOne) {
  for (const std::uint64_t each : {32'000U, 50'000U}) {
    PricedCell prices = price_of_exchanges();
    prices.window_ns = 1000 * each;
    const Trial trial = run(exchanges(1, GuestCpu::own), prices);
    EXPECT_EQ(trial.window_virtual_ns, prices.window_ns);
    EXPECT_EQ(trial.busy[1].ns, each == 32'000U ? 2'000'000U : 5'000'000U);  // the peer's
  }
}

// Four have one driver domain, which is busy all the time: 4 x 1000 x 20 us.
TEST(SimulatedTrial, ManyGuestsMeetTheDriverDomainsBound) {
  const Trial trial = run(exchanges(4, GuestCpu::own), price_of_exchanges());
  EXPECT_NEAR(static_cast<double>(trial.window_virtual_ns), 80e6, 0.2e6);
  for (const GuestWork& guest : trial.guests) EXPECT_NEAR(static_cast<double>(guest.virtual_ns), 80e6, 0.5e6);
}

TEST(SimulatedTrial, AStreamIsAsQuickAsItsSlowestStation) {
  auto factors = factors_of("tcp-stream");
  factors["bytes"] = "1448000";
  factors["direction"] = "send";
  PricedCell prices = prices_of(factors, 1000);  // a segment each
  prices.work = {Bytes(1'448'000), Packets(1000), Transactions(0)};
  SimulatedTrial wanted{*trial_spec_of(factors), SchedulerKind::credit2, 1};
  const auto window_of = [&] { return static_cast<double>(run(wanted, prices).window_virtual_ns); };
  EXPECT_NEAR(window_of(), 20e6, 0.1e6);  // the driver domain
  wanted.spec.link_mbps = 100;            // a frame takes 121 us
  EXPECT_NEAR(window_of(), 121.12e6, 0.2e6);
  wanted.spec.link_mbps = 0;
  wanted.spec.system_window = 1448;  // each segment waits for the one before
  EXPECT_NEAR(window_of(), 35e6, 0.1e6);
  wanted.spec.system_window = 0;
  wanted.spec.guest_cpu = GuestCpu::driver;  // 30 us on one CPU
  EXPECT_NEAR(window_of(), 30e6, 0.1e6);
}

// The driver domain is the other end, 20 us for each exchange. It answers when nothing more has come: the
// guests, on one CPU, have their 10 us one after the other, and the second one's request keeps the first
// one's answer back. So two exchanges take 10 + 2 x 20 us, and not the 40 of a driver domain that is always
// busy.
TEST(SimulatedTrial, ADriverDomainThatIsTheOtherEndAnswersInBatches) {
  SimulatedTrial wanted = exchanges(2, GuestCpu::together);
  wanted.spec.topology = Topology::inside;
  wanted.spec.system_initiates = true;
  PricedCell prices = price_of_exchanges();
  prices.spec.topology = Topology::inside;
  prices.peer = 0;
  EXPECT_NEAR(static_cast<double>(run(wanted, prices).window_virtual_ns), 1000 * 50e3, 0.5e6);
}

// Inside, of a window of ten segments: ten times 20 us in the driver domain, then ten times 10 in the guest,
// and only then is there a window again.
TEST(SimulatedTrial, ASmallWindowInsideIsSentAndReadInTurns) {
  auto factors = factors_of("tcp-stream");
  factors["bytes"] = "1448000";
  factors["direction"] = "receive";
  factors["topology"] = "inside";
  PricedCell prices = prices_of(factors, 1000);
  prices.peer = 0;
  prices.work = {Bytes(1'448'000), Packets(1000), Transactions(0)};
  SimulatedTrial wanted{*trial_spec_of(factors), SchedulerKind::credit2, 1};
  wanted.spec.system_window = 10 * 1448;
  EXPECT_NEAR(static_cast<double>(run(wanted, prices).window_virtual_ns), 30e6, 0.1e6);
}

Trial loops(int guests, GuestWeights weights, int cap, SchedulerKind scheduler, std::uint64_t seed = 1) {
  auto factors = factors_of("cpu-loop");
  factors["iterations"] = "500000";
  PricedCell prices = prices_of(factors, 500'000);  // 5 s
  prices.driver.clear();
  prices.peer = 0;
  prices.work = {Bytes(0), Packets(0), Transactions(500'000)};
  SimulatedTrial wanted{*trial_spec_of(factors), scheduler, seed};
  wanted.spec.guests = guests;
  wanted.spec.guest_cpu = GuestCpu::together;
  wanted.spec.guest_weights = weights;
  wanted.spec.guest_cap_percent = cap;
  return run(wanted, prices);
}

// What the lab measured with Xen 4.17 (docs/benchmarks.md). The first of two ends after 5 s / its share.
TEST(SimulatedTrial, WeightsAndCapsAreTheLabs) {
  const auto share = [](const Trial& trial) {
    return 5e11 / static_cast<double>(trial.guests[0].virtual_ns);
  };
  EXPECT_NEAR(share(loops(2, GuestWeights::equal, 0, SchedulerKind::credit2)), 50, 0.5);
  EXPECT_NEAR(share(loops(2, GuestWeights::halving, 0, SchedulerKind::credit2)), 66.7, 0.5);
  EXPECT_NEAR(share(loops(2, GuestWeights::halving, 0, SchedulerKind::credit)), 50, 0.5);
  for (const int cap : {25, 50, 75})
    EXPECT_NEAR(share(loops(1, GuestWeights::equal, cap, SchedulerKind::credit2)), cap, 0.5);
}

TEST(SimulatedTrial, ASoftloadTakesItsShareAndLetsTrafficPass) {
  SimulatedTrial wanted = exchanges(1, GuestCpu::own);
  wanted.spec.softload_percent = 40;
  const Trial trial = run(wanted, price_of_exchanges());
  EXPECT_EQ(trial.window_virtual_ns, 1000U * 35'000);
  const auto guest = std::find_if(trial.busy.begin(), trial.busy.end(),
                                  [](const Busy& busy) { return busy.domain == "guest1"; });
  EXPECT_NEAR(static_cast<double>(guest->ns), 10e6 + 0.4 * 35e6, 4.1e6);  // a period's share more or less
}

TEST(SimulatedTrial, TheSameSeedIsTheSameTrial) {
  const auto digest = [](std::uint64_t seed) {
    return loops(3, GuestWeights::halving, 0, SchedulerKind::credit2, seed).digest;
  };
  EXPECT_EQ(digest(5), digest(5));
  EXPECT_NE(digest(5), digest(6));
}

TEST(SimulatedTrial, WhatItDoesNotKnowHasAName) {
  const auto obstacle = [](const std::string& factor, const std::string& value,
                           SchedulerKind scheduler = SchedulerKind::credit2) {
    auto factors = factors_of("tcp-rr");
    if (factor == "workload") factors = factors_of(value);
    factors[factor] = value;
    return obstacle_to_simulating(*trial_spec_of(factors), scheduler).value_or("");
  };
  EXPECT_EQ(obstacle("guests", "4"), "");
  EXPECT_THAT(obstacle("platform", "kvm"), HasSubstr("platform kvm"));
  EXPECT_THAT(obstacle("platform", "native"), HasSubstr("platform native"));
  EXPECT_THAT(obstacle("workload", "disk"), HasSubstr("workload disk"));
  EXPECT_THAT(obstacle("driver_domains", "1"), HasSubstr("driver_domains"));
  EXPECT_THAT(obstacle("loads", "opposed"), HasSubstr("loads"));
  EXPECT_THAT(obstacle("guest_cap_percent", "50", SchedulerKind::bvt), HasSubstr("bvt"));
  EXPECT_THAT(obstacle("guest_weights", "halving", SchedulerKind::atropos), HasSubstr("atropos"));
}

}  // namespace
}  // namespace vtax::simulate
