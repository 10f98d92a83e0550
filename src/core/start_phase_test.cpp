#include "core/start_phase.h"

#include <gtest/gtest.h>

#include <set>

namespace vtax {
namespace {

TEST(StartPhase, TheFirstIsTheUsualStart) {
  EXPECT_EQ(start_phase(1).count(), 0);
}

// Run files hold numbers that rest on these.
TEST(StartPhase, StaysWhatItIs) {
  EXPECT_EQ(start_phase(2).count(), 355700);
  EXPECT_EQ(start_phase(5).count(), 94747);
}

TEST(StartPhase, FallsAnywhereInATick) {
  std::set<std::int64_t> eighths;
  for (int repetition = 2; repetition <= 60; ++repetition) {
    const auto phase = start_phase(repetition);
    EXPECT_LT(phase, std::chrono::seconds(1));
    eighths.insert(phase.count() % 4000 / 500);
  }
  EXPECT_EQ(eighths.size(), 8U);
}

}  // namespace
}  // namespace vtax
