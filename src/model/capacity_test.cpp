#include "model/capacity.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace vtax {
namespace {

// A guest sends 1000 KB: 600 M instructions of the driver's CPU 0, 300 M and 50 M idle of the guest's CPU 2,
// 100 M of the peer's; 1,076,000 bytes in 700 frames reach the peer.
WindowCost sending() {
  WindowCost cost;
  cost.work = {Bytes(1'024'000), Packets(700), Transactions(0)};
  const auto add = [&](int cpu, Layer layer, std::uint64_t n) {
    cost.cpus[cpu][static_cast<std::size_t>(layer)] += n;
    cost.instructions[static_cast<std::size_t>(layer)] += n;
    cost.total += n;
  };
  add(0, Layer::driver, 400'000'000);
  add(0, Layer::hypervisor, 200'000'000);
  add(2, Layer::kernel, 300'000'000);
  add(2, Layer::idle, 50'000'000);
  cost.peer = 100'000'000;
  cost.devices = {{"peer", "Domain-0", "eth1", Packets(700), Packets(10), Bytes(1'076'000), Bytes(700)}};
  return cost;
}

Cell cell_of(const WindowCost& cost, const std::string& platform) {
  Cell cell;
  cell.factors = {{"platform", platform}, {"workload", "tcp-stream"}, {"direction", "send"}};
  cell.runs = {cost};
  cell.median = 0;
  return cell;
}

TEST(Capacity, TheBusiestCpuBoundsTheRate) {
  // 600 M at 1200 M/s: 0.5 s for 1,024,000 bytes = 16.384 Mb/s.
  const auto allowed = capacity(sending(), {1.2e9, 0, ""});
  ASSERT_TRUE(allowed);
  EXPECT_NEAR(allowed->rate(), 16.384, 1e-9);
  ASSERT_EQ(allowed->stations.size(), 3U);
  EXPECT_EQ(allowed->stations[0].name, "the driver's CPU 0");
  EXPECT_DOUBLE_EQ(allowed->stations[0].utilisation, 1);
  EXPECT_EQ(allowed->stations[1].name, "the guest's CPU 2");
  EXPECT_DOUBLE_EQ(allowed->stations[1].utilisation, 0.5);  // idling is no demand
  EXPECT_NEAR(allowed->stations[2].utilisation, 1.0 / 6, 1e-12);
  EXPECT_EQ(
      capacity_text(*allowed, "tcp-stream"),
      "bound 16.4 Mb/s, where the driver's CPU 0 would be busy all the time (the guest's CPU 2 50 %, the "
      "peer's CPU 17 %)");
}

TEST(Capacity, TheWireBoundsTheRateOfQuickCpus) {
  // (1,076,000 + 700 x 20) x 8 bits at 10 Mb/s: 0.872 s.
  const auto allowed = capacity(sending(), {1e12, 10e6, ""});
  ASSERT_TRUE(allowed);
  EXPECT_EQ(allowed->stations[0].name, "the wire");
  EXPECT_NEAR(allowed->rate(), 8.192 / 0.872, 1e-9);
}

TEST(Capacity, TheWireToAnotherMachineIsAWire) {
  WindowCost cost = sending();
  cost.peer = 0;  // not known
  cost.devices.front().domain = "peer";
  const auto allowed = capacity(cost, {1e12, 10e6, ""});
  ASSERT_TRUE(allowed);
  EXPECT_EQ(allowed->stations[0].name, "the wire");
}

TEST(Capacity, FullFramesReachTheIdealRateOfTcp) {
  WindowCost cost = sending();
  cost.work.bytes = Bytes(1448 * 1000);
  cost.devices = {{"peer", "host", "eth1", Packets(1000), Packets(0), Bytes(1518 * 1000), Bytes(0)}};
  EXPECT_NEAR(capacity(cost, {1e15, 1e9, ""})->rate(), 941.49, 0.01);  // Primet's R_TP
}

TEST(Capacity, RequestsArePerSecond) {
  WindowCost cost = sending();
  cost.work = {Bytes(0), Packets(4000), Transactions(2000)};
  const auto allowed = capacity(cost, {1.2e9, 0, ""});
  EXPECT_NEAR(allowed->rate(), 4000, 1e-9);
  EXPECT_EQ(unit_of_rate(allowed->unit), "transactions/s");
  cost.work = {};
  EXPECT_FALSE(capacity(cost, {1.2e9, 0, ""}));
}

TEST(MachineSpeed, IsWhatTheStudySaysOrCalibratedByACell) {
  RunCosts costs;
  costs.cells = {cell_of(sending(), "xen-pv")};
  vtax::Run header;
  header.settings = R"({"machine": "lab"})";
  EXPECT_FALSE(machine_speed(header, costs));
  header.settings = R"({"speed": {"link_mbps": 1000, "cpu_mips": 1200}})";
  auto speed = machine_speed(header, costs);
  ASSERT_TRUE(speed && *speed);
  EXPECT_DOUBLE_EQ((*speed)->cpu_per_second, 1.2e9);
  EXPECT_DOUBLE_EQ((*speed)->link_bits_per_second, 1e9);
  // 600 M for 8.192 Mb: at 4.096 Mb/s 300 M instructions a second, which are to be 25 %.
  header.settings =
      R"({"speed": {"of": {"platform": "xen-pv", "workload": "tcp-stream"}, "cpu_percent": 25, "rate": 4.096}})";
  speed = machine_speed(header, costs);
  ASSERT_TRUE(speed && *speed);
  EXPECT_NEAR((*speed)->cpu_per_second, 1.2e9, 1);
  header.settings =
      R"({"speed": {"of": {"platform": "kvm", "workload": "tcp-stream"}, "cpu_percent": 25, "rate": 4}})";
  speed = machine_speed(header, costs);
  ASSERT_TRUE(speed);
  EXPECT_FALSE(*speed);
  EXPECT_EQ(speed->error().why,
            "the study's [speed] cannot be applied: cell kvm, tcp-stream is not in this run");
}

TEST(MachineSpeed, HostileSettingsAreRefused) {
  RunCosts costs;
  costs.cells = {cell_of(sending(), "native")};
  for (const char* speed :
       {"[]", "1", R"({"cpu_mips": "x"})", R"({"cpu_mips": -1})", R"({"of": 1})", R"({"of": {}})",
        R"({"of": {"platform": 1}})", R"({"of": {"platform": "native"}, "cpu_percent": 1, "rate": 1})",
        R"({"cpu_mips": 1e999})", "{}"}) {
    vtax::Run header;
    header.settings = std::string(R"({"speed": )") + speed + "}";
    const auto read = machine_speed(header, costs);
    EXPECT_TRUE(!read || !*read) << speed;
  }
}

TEST(MachineSpeed, OfTheRealHostIsItsClock) {
  WindowCost cost = sending();
  cost.in_time = true;
  cost.window_ns = 1'000'000'000;
  RunCosts costs;
  costs.cells = {cell_of(cost, "container")};
  const auto speed = machine_speed(vtax::Run(), costs);
  ASSERT_TRUE(speed && *speed);
  // 0.6 s of the busiest CPU for 8.192 Mb.
  EXPECT_NEAR(capacity(cost, **speed)->rate(), 8.192 / 0.6, 1e-9);
  EXPECT_NEAR(*measured_rate(cost), 8.192, 1e-9);

  Capacity bound;
  bound.unit = Unit::kilobyte;
  bound.stations = {{"the host's CPU 1", 1, true}};
  bound.units_per_second = 1100;
  EXPECT_EQ(rates_text(cost, bound, "tcp-stream"),
            "ran at 8.19 Mb/s; bound 9.01 Mb/s, where the host's CPU 1 would be busy all the time");
  bound.units_per_second = 900;
  EXPECT_EQ(
      rates_text(cost, bound, "tcp-stream"),
      "ran at 8.19 Mb/s, more than the CPU time that was read allows (7.37): the window is too short for "
      "these readings, let it last a second");
}

}  // namespace
}  // namespace vtax
