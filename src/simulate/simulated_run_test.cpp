#include "simulate/simulated_run.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "record/run_writer.h"
#include "record/testing/synthetic_run.h"
#include "record/trial_check.h"

namespace vtax::simulate {
namespace {

using testing::HasSubstr;

constexpr char kSimulatedStudy[] = R"(
name = "more"
question = "What do more guests give?"
[factors]
platform = ["native", "xen-pv"]
guests = [1, 4]
guest_cpu = "together"
cpu_mips = 800
[[workload]]
name = "cpu-loop"
iterations = 1000000
[[workload]]
name = "tcp-rr"
)";

Trial cell_of_lab(std::uint64_t index, int repetition, std::uint64_t instructions) {
  auto study = parse_study(R"(
name = "one"
question = ""
repetitions = 1
[factors]
platform = "xen-pv"
cpu_mips = 800
[[workload]]
name = "cpu-loop"
iterations = 500000
)",
                           "one");
  const auto plan = make_plan(std::move(*study), {});
  Trial trial;
  trial.index = index;
  trial.repetition = repetition;
  trial.factors = plan->trials.front().factors;
  trial.digest = std::string(64, 'a');
  trial.work = {Bytes(0), Packets(0), Transactions(500'000)};
  trial.guests = {{"guest1", Bytes(0), Transactions(500'000), instructions}};
  trial.ledger = {{2, "guest1", Layer::program, Part::none, "instructions", instructions},
                  {2, "idle", Layer::idle, Part::none, "instructions", 77}};
  trial.machine_total = Instructions(instructions + 77);
  trial.window_virtual_ns = instructions;
  return trial;
}

class SimulatedRun : public testing::Test {
 protected:
  SimulatedRun() {
    std::string pattern = (std::filesystem::temp_directory_path() / "vtax-simulate-XXXXXX").string();
    folder_ = mkdtemp(pattern.data());
  }
  ~SimulatedRun() override { std::filesystem::remove_all(folder_); }

  [[nodiscard]] std::filesystem::path lab_run(const std::string& machine = "lab") const {
    const std::filesystem::path file = folder_ / (machine + ".vtax");
    vtax::Run header = synthetic_header();
    header.settings = nlohmann::json({{"machine", machine}}).dump();
    header.planned_trials = 3;
    auto writer = RunWriter::create(file, header);
    EXPECT_TRUE(writer);
    // The one in the middle is the price.
    for (const auto& [index, cost] : {std::pair(0, 8'000'000), {1, 4'000'000}, {2, 5'000'000}})
      EXPECT_TRUE(writer->append(
          cell_of_lab(static_cast<std::uint64_t>(index), index + 1, static_cast<std::uint64_t>(cost))));
    writer->close();
    return file;
  }

  std::filesystem::path folder_;
};

TEST_F(SimulatedRun, TakesTheMedianCellAndLeavesOutWhatItDoesNotKnow) {
  const auto prices = PriceList::read(lab_run());
  ASSERT_TRUE(prices) << prices.error().text();
  EXPECT_EQ(prices->cpu_mips(), 800);
  auto plan = make_plan(*parse_study(kSimulatedStudy, "more"), {{}, 1});
  ASSERT_TRUE(plan) << plan.error().text();
  const SimulationWish wish{"lab.vtax", std::nullopt, 3};
  const auto notes = leave_out_unknown(wish, *prices, *plan);
  ASSERT_TRUE(notes);
  EXPECT_THAT(*notes, testing::Contains(HasSubstr("platform native")));
  EXPECT_THAT(*notes, testing::Contains(HasSubstr("has no cell of one guest with")));
  std::vector<Trial> trials;
  ASSERT_TRUE(simulate_all(wish, *prices, *plan, [&](const Trial& trial) -> Result<> {
    EXPECT_TRUE(check(trial)) << check(trial).error().why;
    EXPECT_EQ(trial.error, "");
    trials.push_back(trial);
    return {};
  }));
  ASSERT_EQ(trials.size(), 2U);
  // 5 million instructions for half of the iterations: 10 million, at 800 a microsecond.
  EXPECT_EQ(trials[0].window_virtual_ns, 12'500'000U);
  EXPECT_EQ(trials[0].machine_total.value, 10'000'000U);
  EXPECT_NEAR(static_cast<double>(trials[1].window_virtual_ns), 50e6, 0.1e6);
  EXPECT_THAT(trials[0].provenance, HasSubstr("\"costs_trial\":3"));
  EXPECT_THAT(trials[0].provenance, HasSubstr(prices->digest()));
}

TEST_F(SimulatedRun, RefusesCostsThatAreNone) {
  const auto of_host = PriceList::read(lab_run("host"));
  ASSERT_FALSE(of_host);
  EXPECT_THAT(of_host.error().text(), HasSubstr("no run of the lab"));
  const auto prices = PriceList::read(lab_run());
  ASSERT_TRUE(prices);
  auto plan = make_plan(*parse_study(kSimulatedStudy, "more"), {{"workload=tcp-rr"}, 1});
  const auto notes = leave_out_unknown({}, *prices, *plan);
  ASSERT_FALSE(notes);
  EXPECT_EQ(notes.error().code, ExitCode::usage);
}

}  // namespace
}  // namespace vtax::simulate
