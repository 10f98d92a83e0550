#include "record/not_tried.h"

#include <gtest/gtest.h>

namespace vtax {
namespace {

const Error kRefused{"run xl create", "libxl: error: Domain 7: domain creation fail: Permission denied",
                     "the machine's last lines: ...", ExitCode::trial_failed};

Trial trial_of(std::uint64_t index) {
  Trial trial;
  trial.index = index;
  return trial;
}

TEST(NotTried, IsSaidOnceForAllAndRecordedWithTheToolsWords) {
  std::vector<Trial> heard;
  int times = 0;
  const auto left = leave_untried(
      {trial_of(3), trial_of(5)}, kRefused,
      [&](const Error& why, std::vector<Trial> trials) -> Result<> {
        ++times;
        EXPECT_EQ(why.text(), kRefused.text());
        heard = std::move(trials);
        return {};
      },
      [](const Trial&) -> Result<> {
        ADD_FAILURE() << "told one by one";
        return {};
      });
  EXPECT_TRUE(left);
  EXPECT_EQ(times, 1);
  ASSERT_EQ(heard.size(), 2U);
  for (const Trial& trial : heard)
    EXPECT_EQ(trial.error,
              "not tried: run xl create: libxl: error: Domain 7: domain creation fail: Permission denied");
  EXPECT_EQ(heard.back().index, 5U);
}

TEST(NotTried, EndsWithWhatItsListenerSays) {
  int heard = 0;
  const auto left = leave_untried({Trial(), Trial()}, kRefused, {}, [&](const Trial&) -> Result<> {
    ++heard;
    return fail({"cannot write", "the disk is full", "", ExitCode::io});
  });
  EXPECT_EQ(heard, 1);
  EXPECT_FALSE(left);
}

TEST(NotTried, TheSameFailureMayNameOtherNumbers) {
  Error other = kRefused;
  other.why = "libxl: error: Domain 12: domain creation fail: Permission denied";
  EXPECT_TRUE(is_same_failure(kRefused, other));
  other.why = "libxl: error: Domain 7: domain creation fail: No space left on device";
  EXPECT_FALSE(is_same_failure(kRefused, other));
}

}  // namespace
}  // namespace vtax
