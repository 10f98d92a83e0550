#include "machine/lab/plan_terms.h"

#include <gtest/gtest.h>

namespace vtax::lab {
namespace {

using std::chrono::seconds;

TEST(PlanTerms, AreATrialsOwnWhereThePlanNamesNone) {
  for (const char* plan : {R"({"version": 1})", "no JSON", ""}) {
    const PlanTerms terms = PlanTerms::of(plan);
    EXPECT_EQ(terms.time, ParallelTime());
    EXPECT_EQ(terms.parties, 1U);
    EXPECT_EQ(terms.time_limit.count(), 0);
  }
}

TEST(PlanTerms, TimeIsByItsSpeedAndRounds) {
  const PlanTerms terms = PlanTerms::of(R"({"cpu_mips": 300, "round_instructions": 500})");
  EXPECT_EQ(terms.time.speed, (Speed{10, 3}));
  EXPECT_EQ(terms.time.round, 500);
}

TEST(PlanTerms, EachSystemAtWorkMarksTheWindowUnlessTheControllerDoes) {
  EXPECT_EQ(PlanTerms::of(R"({"guests": 3})").parties, 3U);
  EXPECT_EQ(PlanTerms::of(R"({"guests": 2, "machines": 3})").parties, 6U);
  EXPECT_EQ(PlanTerms::of(R"({"guests": 2, "machines": 3, "own_guests": "idle"})").parties, 4U);
  for (const char* plan : {R"({"guests": 3, "books": true})", R"({"guests": 3, "counters": true})",
                           R"({"guests": 3, "watch": true})"})
    EXPECT_EQ(PlanTerms::of(plan).parties, 1U) << plan;
}

TEST(PlanTerms, AMinuteOfACpuIsTheLeastBeforeAMachineIsTakenForHung) {
  const auto bounds_of = [](const char* plan, bool models_caches = false) {
    return PlanTerms::of(plan).bounds(models_caches);
  };
  const Bounds least = bounds_of(R"({"time_limit_ns": 20000000000})");
  EXPECT_EQ(least.instructions, 30'000'000'000U);
  EXPECT_EQ(least.virtual_time, seconds(100));
  EXPECT_EQ(least.cpu_time, seconds(1200));
  const Bounds longer = bounds_of(R"({"time_limit_ns": 80000000000})", true);
  EXPECT_EQ(longer.instructions, 40'000'000'000U);
  EXPECT_EQ(longer.virtual_time, seconds(400));
  EXPECT_EQ(longer.cpu_time, seconds(6400));
  EXPECT_EQ(bounds_of("{}").virtual_time, seconds(0));  // no such bound
}

}  // namespace
}  // namespace vtax::lab
