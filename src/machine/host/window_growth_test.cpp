#include "machine/host/window_growth.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

#include "subject/workload_table.h"

namespace vtax::host {
namespace {

using std::chrono::nanoseconds;

controller::TrialPlan plan_of(const char* workload, const char* window_ms) {
  std::map<std::string, std::string> factors{
      {"platform", "native"}, {"topology", "inside"}, {"workload", workload}, {"window_ms", window_ms}};
  for (const Factor& factor : find_workload(workload)->factors)
    factors[std::string(factor.name)] = factor.fallback;
  const auto spec = trial_spec_of(factors);
  EXPECT_TRUE(spec) << spec.error().text();
  auto plan = controller::plan_for(*spec);
  EXPECT_TRUE(plan) << plan.error().text();
  return *plan;
}

// A computer that takes `begin` and then `each` for a unit of work.
TryWindow computer(double begin_ns, double each_ns, std::vector<std::uint64_t>& tried,
                   std::uint64_t (*amount)(const controller::TrialPlan&)) {
  return [=, &tried](const controller::TrialPlan& plan, int number) -> Result<nanoseconds> {
    tried.push_back(amount(plan));
    EXPECT_EQ(number, static_cast<int>(tried.size()));
    return nanoseconds(static_cast<std::int64_t>(begin_ns + each_ns * static_cast<double>(tried.back())));
  };
}

std::uint64_t transactions(const controller::TrialPlan& plan) {
  return plan.window.transactions.value;
}
std::uint64_t bytes(const controller::TrialPlan& plan) {
  return plan.window.bytes.value;
}
std::uint64_t rounds(const controller::TrialPlan& plan) {
  return plan.local->rounds;
}

TEST(WindowGrowth, GrowsUntilTheWindowLasts) {
  std::vector<std::uint64_t> tried;
  auto plan = plan_of("tcp-rr", "1000");
  // 500 exchanges of 10 us and a begin of 2 ms: 7 ms, from which a second is too few by the begin.
  const auto growth = grow_window(plan, computer(2e6, 1e4, tried, transactions));
  ASSERT_TRUE(growth);
  ASSERT_EQ(tried.size(), 2U);
  EXPECT_EQ(tried[0], 500U);
  EXPECT_GE(tried[1], 10'000U);
  EXPECT_NEAR(static_cast<double>(transactions(plan)), 1e5, 1e3);
  EXPECT_EQ(growth->from, 500U);
  EXPECT_EQ(growth->to, transactions(plan));
  EXPECT_EQ(to_json(*growth, WorkloadId::tcp_rr)["factor"], "transactions");
}

TEST(WindowGrowth, AQuickComputerNeedsMoreTries) {
  std::vector<std::uint64_t> tried;
  auto plan = plan_of("tcp-rr", "1000");
  ASSERT_TRUE(grow_window(plan, computer(0, 10, tried, transactions)));  // 5 us at first
  EXPECT_THAT(tried, testing::ElementsAre(500, 50'000, 5'000'000)) << "a hundredfold at once";
  EXPECT_EQ(transactions(plan), 100'000'000U) << "50 ms tell enough of it; the factor allows no more";
}

TEST(WindowGrowth, WhatLastsLongEnoughStaysAsItIs) {
  std::vector<std::uint64_t> tried;
  auto plan = plan_of("tcp-stream", "1000");
  const auto before = bytes(plan);
  ASSERT_TRUE(grow_window(plan, computer(0, 1e4, tried, bytes)));  // 84 s
  EXPECT_EQ(bytes(plan), before);
  EXPECT_EQ(tried.size(), 1U);
}

TEST(WindowGrowth, EndsAtWhatTheFactorAllows) {
  std::vector<std::uint64_t> tried;
  auto plan = plan_of("memory", "60000");
  ASSERT_TRUE(grow_window(plan, computer(0, 1, tried, rounds)));
  EXPECT_EQ(rounds(plan), 1000U);
}

TEST(WindowGrowth, TheAmountThatIsNamedIsTheOneThatGrows) {
  for (const WorkloadKind& kind : workloads()) {
    if (kind.has_program) continue;  // it has no amount
    const std::string name(kind.name);
    std::vector<std::uint64_t> tried;
    auto plan = plan_of(name.c_str(), "1000");
    const auto growth = grow_window(
        plan, computer(1e6, 0, tried, [](const controller::TrialPlan&) { return std::uint64_t{0}; }));
    ASSERT_TRUE(growth);
    EXPECT_EQ(growth->tries > 0, !kind.has_compiler) << name;
    EXPECT_EQ(growth->to > growth->from, !kind.has_compiler) << name;
  }
}

TEST(WindowGrowth, WithoutALengthNothingIsTried) {
  std::vector<std::uint64_t> tried;
  auto plan = plan_of("tcp-rr", "0");
  const auto growth = grow_window(plan, computer(0, 1, tried, transactions));
  ASSERT_TRUE(growth);
  EXPECT_EQ(growth->tries, 0);
  EXPECT_THAT(tried, testing::IsEmpty());
  EXPECT_EQ(transactions(plan), 500U);
}

TEST(WindowGrowth, ATryThatFailsIsTheTrialsFailure) {
  auto plan = plan_of("tcp-rr", "1000");
  const auto growth = grow_window(plan, [](const controller::TrialPlan&, int) -> Result<nanoseconds> {
    return fail({"try", "datagrams were lost", ""});
  });
  ASSERT_FALSE(growth);
  EXPECT_THAT(growth.error().text(), testing::HasSubstr("lost"));
}

}  // namespace
}  // namespace vtax::host
