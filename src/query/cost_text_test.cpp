#include "query/cost_text.h"

#include <gtest/gtest.h>

namespace vtax {
namespace {

TEST(CostText, TimesHaveTheUnitOfTheirSize) {
  EXPECT_EQ(cost_text(345.2, true), "345 ns");
  EXPECT_EQ(cost_text(999.7, true), "1.00 us");
  EXPECT_EQ(cost_text(12'345, true), "12.3 us");
  EXPECT_EQ(cost_text(999'000, true), "999 us");
  EXPECT_EQ(cost_text(2'610'000, true), "2.61 ms");
  EXPECT_EQ(cost_text(1.2e9, true), "1.20 s");
  EXPECT_EQ(cost_text(0, true), "0");
  EXPECT_EQ(cost_text(-12'345, true), "-12.3 us");
  EXPECT_EQ(cost_with_unit(2'610'000, true), "2.61 ms of CPU time");
}

TEST(CostText, InstructionsAreCounted) {
  EXPECT_EQ(cost_text(2'610'000, false), "2,610,000");
  EXPECT_EQ(cost_with_unit(16'850, false), "16,850 instructions");
  EXPECT_EQ(cost_unit(1e9, false).figure(2'610'000), "2,610,000");
  EXPECT_EQ(cost_unit(1e9, false).name, "instructions");
}

TEST(CostText, ATableHasOneUnitAndKeepsItsSmallFigures) {
  const CostUnit unit = cost_unit(2'610'000, true);
  EXPECT_EQ(unit.name, "ms of CPU time");
  EXPECT_EQ(unit.figure(2'610'000), "2.61");
  EXPECT_EQ(unit.figure(31'200), "0.0312");
  EXPECT_EQ(unit.figure(0), "0");
}

}  // namespace
}  // namespace vtax
