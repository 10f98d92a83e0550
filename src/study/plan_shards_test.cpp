#include "study/plan_shards.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

namespace vtax {
namespace {

using testing::HasSubstr;

Plan plan_of_six_cells(int repetitions) {
  auto study = parse_study(
      "name = \"s\"\nquestion = \"\"\n[factors]\nplatform = [\"native\", \"container\"]\noffloads = \"off\"\n"
      "[[workload]]\nname = \"tcp-rr\"\ntransactions = [10, 20, 30]\n",
      "s.toml");
  EXPECT_TRUE(study);
  auto plan = make_plan(std::move(*study), {{}, repetitions});
  EXPECT_TRUE(plan);
  return std::move(*plan);
}

TEST(PlanShards, EveryTrialIsInOneAndACellIsNotDivided) {
  const Plan plan = plan_of_six_cells(3);
  ASSERT_EQ(plan.trials.size(), 18U);
  EXPECT_EQ(count_cells(plan), 6U);
  for (std::uint64_t of = 1; of <= 6; ++of) {
    std::map<std::uint64_t, std::uint64_t> shard_of_trial;
    for (std::uint64_t number = 0; number < of; ++number) {
      const auto trials = trials_of(plan, {number, of});
      ASSERT_TRUE(trials);
      for (const std::uint64_t trial : *trials) EXPECT_TRUE(shard_of_trial.emplace(trial, number).second);
      EXPECT_GE(trials->size(), 3 * (6 / of));
    }
    EXPECT_EQ(shard_of_trial.size(), 18U);
    for (std::uint64_t cell = 0; cell < 6; ++cell)
      for (std::uint64_t repetition = 1; repetition < 3; ++repetition)
        EXPECT_EQ(shard_of_trial.at(cell), shard_of_trial.at(cell + 6 * repetition));
  }
}

TEST(PlanShards, MoreThanCellsAreRefused) {
  const auto refused = trials_of(plan_of_six_cells(2), {0, 7});
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().text(), HasSubstr("it has 6 cells"));
}

}  // namespace
}  // namespace vtax
