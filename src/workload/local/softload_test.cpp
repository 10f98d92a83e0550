#include "workload/local/softload.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "workload/local/cpu_list.h"

namespace vtax {
namespace {

using std::chrono::milliseconds;

TEST(Softload, ImpossibleOptionsAreUsageErrors) {
  const auto wrong = [](auto change) {
    SoftloadOptions options;
    change(options);
    const Result<SideReport> done = run_softload(options);
    return !done && done.error().code == ExitCode::usage && !done.error().next.empty();
  };
  constexpr std::uint64_t kHuge = std::uint64_t{1} << 63;
  EXPECT_TRUE(wrong([](auto& o) { o.share = 0; }));
  EXPECT_TRUE(wrong([](auto& o) { o.share = -0.5; }));
  EXPECT_TRUE(wrong([](auto& o) { o.share = 1.01; }));
  EXPECT_TRUE(wrong([](auto& o) { o.share = std::numeric_limits<double>::quiet_NaN(); }));
  EXPECT_TRUE(wrong([](auto& o) { o.threads = 0; }));
  EXPECT_TRUE(wrong([](auto& o) { o.threads = kHuge; }));
  EXPECT_TRUE(wrong([](auto& o) { o.period = milliseconds(0); }));
  EXPECT_TRUE(wrong([](auto& o) { o.period = std::chrono::hours(1); }));
  EXPECT_TRUE(wrong([](auto& o) { o.duration = milliseconds(0); }));
  EXPECT_TRUE(wrong([](auto& o) { o.duration = std::chrono::nanoseconds::max(); }));
}

// How near it comes is ShareControl's test; a busy test machine may not have the share to give.
TEST(Softload, TakesNoMoreThanItsShareAndSaysWhatItTook) {
  for (const double share : {0.1, 0.5}) {
    const Result<SideReport> done = run_softload({share, 1, {}, milliseconds(10), milliseconds(300)});
    ASSERT_TRUE(done) << done.error().text();
    const double reached = done->metrics.at(0).value, error = done->metrics.at(1).value;
    EXPECT_GT(reached, 0);
    EXPECT_LE(reached, share + 0.03);
    EXPECT_NEAR(error, 100 * (reached - share), 1e-9);
    EXPECT_EQ(done->details.contains("warnings"), std::abs(error) > 1);
  }
}

TEST(Softload, LoadsTheCpusThatItWasGivenAndNoOther) {
  const std::vector<int> usable = usable_cpus();
  const Result<SideReport> done = run_softload({0.2, 1, {usable.back()}, milliseconds(5), milliseconds(100)});
  ASSERT_TRUE(done) << done.error().text();
  EXPECT_EQ(done->details.at("cpus"), nlohmann::json({usable.back()}));
  const Result<SideReport> none = run_softload({0.2, 1, {1023}, milliseconds(5), std::chrono::hours(1)});
  ASSERT_FALSE(none) << "this machine has 1024 CPUs";
  EXPECT_EQ(none.error().code, ExitCode::unavailable);
}

TEST(Softload, NeverReportsMoreCpuThanTheProcessHad) {
  const Result<SideReport> done = run_softload({0.3, 2, {}, milliseconds(5), milliseconds(200)});
  ASSERT_TRUE(done) << done.error().text();
  double reached = 0;
  for (const double share : done->details.at("thread_shares")) reached += share;
  const double seconds = std::chrono::duration<double>(done->duration).count();
  EXPECT_LE(reached * seconds, std::chrono::duration<double>(done->cpu.process()).count() + 0.02);
  EXPECT_EQ(done->metrics.at(0).unit, "share");
}

}  // namespace
}  // namespace vtax
