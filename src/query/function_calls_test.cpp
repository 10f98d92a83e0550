#include "query/function_calls.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>

#include "core/readable.h"
#include "query/testing/run_on_disk.h"
#include "record/testing/synthetic_run.h"

namespace vtax {
namespace {

using testing::HasSubstr;
using testing::Not;

constexpr Layer kKernel = Layer::kernel;

// The ledger is what the functions add up to.
void balance(Trial& trial) {
  trial.machine_total = {};
  for (const FunctionCost& cost : trial.functions) trial.machine_total += cost.instructions;
  trial.ledger = {{0, "host", kKernel, Part::none, "instructions", trial.machine_total.value}};
}

Trial exchange(std::uint64_t index, int repetition, std::uint64_t transactions, std::uint64_t instructions,
               std::optional<std::uint64_t> calls) {
  Trial trial = synthetic_trial(0, {{"platform", "native"}, {"workload", "tcp-rr"}});
  trial.index = index;
  trial.repetition = repetition;
  trial.work.transactions = Transactions(transactions);
  trial.functions = {
      {"host", kKernel, Part::none, "vmlinux", "tcp_v4_rcv", Instructions(instructions), calls},
      {"host", kKernel, Part::none, "vmlinux", "tcp_sendmsg", Instructions(7), std::uint64_t{1}}};
  balance(trial);
  return trial;
}

Run run_of(std::vector<Trial> trials) {
  Run run = synthetic_header();
  run.trials = std::move(trials);
  return run;
}

Result<std::vector<CellFunctions>> calls_in(const Run& run, const std::vector<std::string>& patterns) {
  const RunOnDisk disk(run);
  auto reader = disk.reader();
  return read_function_calls(reader, patterns);
}

TEST(FunctionCalls, AreThoseOfAllStartsForTheirWork) {
  auto perturbed = exchange(2, 1, 100, 1'000'000, 9'000);
  perturbed.factors[kVariation] = "layout-1";
  const auto cells = calls_in(
      run_of({exchange(0, 1, 100, 60'000, 200), exchange(1, 2, 300, 100'000, 600), perturbed}), {"tcp_v4_*"});
  ASSERT_TRUE(cells) << cells.error().text();
  ASSERT_EQ(cells->size(), 1U);
  ASSERT_EQ(cells->front().uses.size(), 1U);
  const FunctionUse& use = cells->front().uses.front();
  EXPECT_EQ(use.who.function, "tcp_v4_rcv");
  EXPECT_DOUBLE_EQ(use.calls_per_unit(Unit::transaction).value(), 2.0);
  EXPECT_DOUBLE_EQ(use.instructions_per_call().value(), 200.0);
}

TEST(FunctionCalls, AreUnknownWhereOneStartDidNotCountThem) {
  const auto cells =
      calls_in(run_of({exchange(0, 1, 100, 60'000, 200), exchange(1, 2, 100, 60'000, {})}), {"tcp_v4_rcv"});
  ASSERT_TRUE(cells) << cells.error().text();
  const FunctionUse& use = cells->front().uses.front();
  EXPECT_FALSE(use.calls_per_unit(Unit::transaction));
  EXPECT_FALSE(use.instructions_per_call());
  std::ostringstream out;
  write_function_calls(*cells, out);
  EXPECT_THAT(out.str(), testing::ContainsRegex("tcp_v4_rcv, host kernel +- +- +600\n"));
  std::istringstream lines(out.str());
  for (std::string line; std::getline(lines, line);) EXPECT_LE(columns(line), 80U) << line;
}

TEST(FunctionCalls, HaveACellInWhichNoneRan) {
  auto other = exchange(1, 1, 100, 50'000, 100);
  other.factors["platform"] = "container";
  other.functions.erase(other.functions.begin());
  balance(other);
  const auto cells = calls_in(run_of({exchange(0, 1, 100, 60'000, 200), other}), {"tcp_v4_rcv"});
  ASSERT_TRUE(cells) << cells.error().text();
  ASSERT_EQ(cells->size(), 2U);
  std::ostringstream out;
  write_function_calls(*cells, out);
  EXPECT_THAT(out.str(), HasSubstr("container, tcp-rr\n  none of them ran\n"));
}

TEST(FunctionCalls, WhatIsNotThereIsSaid) {
  auto run = run_of({exchange(0, 1, 100, 60'000, 200)});
  EXPECT_THAT(calls_in(run, {"nope"}).error().text(), HasSubstr("no function of this name ran"));
  run.trials[0].functions.clear();
  EXPECT_THAT(calls_in(run, {"*"}).error().text(), HasSubstr("no functions were recorded"));
}

TEST(FunctionCalls, HostileNamesStayInTheirPlace) {
  auto trial = exchange(0, 1, 100, 60'000, 200);
  trial.functions[0].function = "evil\x1b[2Jname";
  const auto cells = calls_in(run_of({trial}), {"evil*"});
  ASSERT_TRUE(cells) << cells.error().text();
  std::ostringstream out;
  write_function_calls(*cells, out);
  EXPECT_THAT(out.str(), Not(HasSubstr("\x1b")));
}

}  // namespace
}  // namespace vtax
