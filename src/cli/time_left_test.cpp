#include "cli/time_left.h"

#include <gtest/gtest.h>

namespace vtax {
namespace {

using std::chrono::seconds;

class Time : public testing::Test {
 protected:
  void trial(std::uint64_t index, const std::string& kind, seconds takes) {
    left_.start(index, now_);
    now_ += takes;
    left_.finish(index, kind, now_);
  }
  [[nodiscard]] double left() const { return left_.estimate()->seconds.count(); }

  TimeLeft left_{1};
  TimeLeft::Clock::time_point now_;
};

TEST_F(Time, IsUnknownBeforeATrialEnded) {
  left_.plan("native");
  left_.boots(0, 1, seconds(60));
  EXPECT_FALSE(left_.estimate());
  EXPECT_EQ(left_text(left_.estimate()), "");
}

TEST_F(Time, IsLearntByKind) {
  for (const char* kind : {"native", "native", "qemu", "qemu", "qemu", "uml"}) left_.plan(kind);
  trial(0, "native", seconds(2));
  EXPECT_DOUBLE_EQ(left(), 5 * 2);  // nothing else is known
  trial(1, "qemu", seconds(10));
  EXPECT_DOUBLE_EQ(left(), 2 + 2 * 10 + 6);  // of uml: the mean of all
  trial(2, "native", seconds(4));
  EXPECT_DOUBLE_EQ(left(), 2 * 10 + 16.0 / 3);
}

TEST_F(Time, CountsTheMachinesThatMustStillBoot) {
  for (int i = 0; i < 3; ++i) left_.plan("xen-pv");
  left_.boots(2, 0, seconds(0));
  trial(0, "xen-pv", seconds(3));
  EXPECT_EQ(left_text(left_.estimate()), ", about 6 s left, boots not counted");
  left_.boots(1, 1, seconds(40));
  EXPECT_EQ(left_text(left_.estimate()), ", about 46 s left");
  left_.boots(0, 2, seconds(60));
  EXPECT_EQ(left_text(left_.estimate()), ", about 6 s left");
}

TEST(TimeLeft, IsSharedByWorkers) {
  TimeLeft left(2);
  TimeLeft::Clock::time_point now;
  for (int i = 0; i < 4; ++i) left.plan("native");
  left.start(0, now);
  left.start(1, now);
  left.finish(0, "native", now + seconds(8));
  EXPECT_DOUBLE_EQ(left.estimate()->seconds.count(), 12);
  left.finish(1, "native", now + seconds(8));
  EXPECT_DOUBLE_EQ(left.estimate()->seconds.count(), 8);
  left.finish(2, "native", now);                          // its machine did not boot
  EXPECT_DOUBLE_EQ(left.estimate()->seconds.count(), 8);  // one worker's
  left.finish(3, "native", now);
  EXPECT_EQ(left_text(left.estimate()), ", about 0 s left");
}

TEST(TimeLeft, IsSaidInMinutesWhenItIsLong) {
  EXPECT_EQ(left_text(TimeLeft::Estimate{seconds(99), true}), ", about 99 s left");
  EXPECT_EQ(left_text(TimeLeft::Estimate{seconds(121), true}), ", about 3 min left");
}

}  // namespace
}  // namespace vtax
