#include "workload/measure/repeat.h"

#include <gtest/gtest.h>

namespace vtax {
namespace {

Repeat repeat_with(double value) {
  SideReport side;
  side.side = "local";
  side.metrics.push_back({"rate", value, "B/s", true});
  return {side};
}

int times(const RepeatPolicy& policy, const std::vector<double>& values) {
  std::size_t next = 0;
  const auto done =
      repeat(policy, [&]() -> Result<Repeat> { return repeat_with(values[next++ % values.size()]); });
  return done ? static_cast<int>(done->size()) : -1;
}

TEST(Repeat, StopsAsSoonAsTheIntervalIsTight) {
  EXPECT_EQ(times({3, 30, 0.95, 0.025}, {100}), 3);
  EXPECT_EQ(times({1, 30, 0.95, 0.025}, {100}), 2);  // one value has no interval
}

TEST(Repeat, GoesOnWhileItIsWideAndThenSaysSo) {
  const RepeatPolicy policy{2, 7, 0.95, 0.025};
  EXPECT_EQ(times(policy, {100, 150}), 7);
  const Summary wide = summarise(policy, {repeat_with(100), repeat_with(150), repeat_with(110)});
  EXPECT_FALSE(wide.tight);
  ASSERT_TRUE(wide.interval);
  EXPECT_LT(wide.interval->low, 100);
  EXPECT_DOUBLE_EQ(wide.mean, 120);
  EXPECT_DOUBLE_EQ(wide.median, 110);
}

TEST(Repeat, AnErrorEndsItAndIsNoRepeat) {
  int calls = 0;
  const auto done = repeat({5, 5, 0.95, 0.1}, [&]() -> Result<Repeat> {
    if (++calls == 3) return fail({"the peer", "went away", "", ExitCode::trial_failed});
    return repeat_with(1);
  });
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().why, "went away");
  EXPECT_EQ(calls, 3);
}

TEST(Repeat, ImpossiblePoliciesAreRefused) {
  for (const RepeatPolicy& policy :
       {RepeatPolicy{0, 1, 0.95, 0.1}, RepeatPolicy{3, 2, 0.95, 0.1}, RepeatPolicy{1, 5000, 0.95, 0.1},
        RepeatPolicy{1, 1, 1.0, 0.1}, RepeatPolicy{1, 1, 0.95, 0}}) {
    EXPECT_FALSE(policy.check());
  }
}

}  // namespace
}  // namespace vtax
