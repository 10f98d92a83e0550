#include "model/offered_load.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>

namespace vtax {
namespace {

// 100 requests that take a CPU `instructions`, offered at so many connections a second.
Cell served(const std::string& platform, int per_second, std::uint64_t instructions) {
  WindowCost cost;
  cost.work = {Bytes(0), Packets(0), Transactions(100)};
  cost.cpus[0][static_cast<std::size_t>(Layer::kernel)] = instructions;
  cost.cpus[2][static_cast<std::size_t>(Layer::program)] = instructions / 2;
  cost.instructions[static_cast<std::size_t>(Layer::kernel)] = instructions;
  cost.instructions[static_cast<std::size_t>(Layer::program)] = instructions / 2;
  cost.total = instructions + instructions / 2;
  cost.peer = 1000;
  Cell cell;
  cell.factors = {{"platform", platform},
                  {"workload", "http"},
                  {"requests_per_connection", "2"},
                  {"connections_per_second", std::to_string(per_second)}};
  cell.runs = {cost};
  cell.median = 0;
  return cell;
}

const MachineSpeed kSpeed{1e8, 0, ""};  // 100 requests of 1e7 instructions: 1 ms each, so 1000 a second

TEST(OfferedLoad, BelowTheKneeAllIsPossibleAndCpusAreBusyInProportion) {
  const auto load = offered_load(served("native", 200, 10'000'000), kSpeed);
  ASSERT_TRUE(load);
  EXPECT_DOUBLE_EQ(load->offered, 400);  // two requests a connection
  EXPECT_DOUBLE_EQ(load->most, 1000);
  EXPECT_DOUBLE_EQ(load->possible(), 400);
  EXPECT_FALSE(load->is_beyond());
  EXPECT_EQ(load->busiest, "CPU 0");
  EXPECT_DOUBLE_EQ(load->busiest_part, 0.4);
  EXPECT_DOUBLE_EQ(load->cpus, 0.6);  // and not the peer's
}

TEST(OfferedLoad, BeyondTheKneeItsRateIsTheMost) {
  const auto load = offered_load(served("native", 800, 10'000'000), kSpeed);
  ASSERT_TRUE(load);
  EXPECT_TRUE(load->is_beyond());
  EXPECT_DOUBLE_EQ(load->possible(), 1000);
  EXPECT_DOUBLE_EQ(load->busiest_part, 1);
  EXPECT_DOUBLE_EQ(load->cpus, 1.5);
}

TEST(OfferedLoad, NothingIsOfferedInAClosedLoop) {
  EXPECT_FALSE(offered_load(served("native", 0, 10'000'000), kSpeed));
  Cell failed = served("native", 200, 1);
  failed.median.reset();
  EXPECT_FALSE(offered_load(failed, kSpeed));
}

TEST(OfferedLoad, CellsThatDifferInItAndInThePlatformAreOneSeries) {
  RunCosts costs;
  costs.cells = {served("native", 200, 10'000'000), served("native", 800, 10'000'000),
                 served("xen-pv", 200, 30'000'000), served("xen-pv", 800, 30'000'000)};
  costs.cells.push_back(served("native", 300, 10'000'000));
  costs.cells.back().factors["file_bytes"] = "7";  // another work, at one rate only
  const auto all = offered_series(costs);
  ASSERT_EQ(all.size(), 1U);
  EXPECT_EQ(all[0].cells.size(), 4U);
  for (const Cell& cell : costs.cells) costs.varying.add(cell.factors);
  std::ostringstream out;
  print_offered(out, costs, kSpeed);
  EXPECT_THAT(out.str(), testing::HasSubstr("OFFERED AND POSSIBLE"));
  EXPECT_THAT(out.str(), testing::ContainsRegex("xen-pv +1,600 requests/s +333 +333 +CPU 0 +100 % +150 %"));
  std::ostringstream none;
  print_offered(none, RunCosts{}, kSpeed);
  EXPECT_EQ(none.str(), "");
}

}  // namespace
}  // namespace vtax
