#include "workload/local/sampler.h"

#include <gtest/gtest.h>
#include <sched.h>

#include <chrono>

namespace vtax {
namespace {

TEST(Sampler, NumbersOutOfRangeAreUsageErrors) {
  for (const std::uint64_t hz : {std::uint64_t{0}, kMostSamplingHz + 1, ~std::uint64_t{0}}) {
    const auto sampler = Sampler::start(hz, {0});
    ASSERT_FALSE(sampler);
    EXPECT_EQ(sampler.error().code, ExitCode::usage);
  }
}

// A CPU that is busy for a third of a second: hundreds of samples at a thousand a second.
TEST(Sampler, ABusyCpuGivesSamples) {
  const int cpu = sched_getcpu();
  cpu_set_t here;
  CPU_ZERO(&here);
  CPU_SET(static_cast<unsigned>(cpu), &here);
  cpu_set_t before;
  ASSERT_EQ(sched_getaffinity(0, sizeof before, &before), 0);
  ASSERT_EQ(sched_setaffinity(0, sizeof here, &here), 0);
  auto sampler = Sampler::start(kMostSamplingHz, {cpu});
  if (!sampler) {
    sched_setaffinity(0, sizeof before, &before);
    GTEST_SKIP() << sampler.error().text();
  }
  using Clock = std::chrono::steady_clock;
  const auto end = Clock::now() + std::chrono::seconds(3);
  // The thread that counts wakes when its ring is half full.
  while ((*sampler)->samples() == 0 && Clock::now() < end) {
  }
  sched_setaffinity(0, sizeof before, &before);
  EXPECT_GT((*sampler)->samples(), 1000U);
  EXPECT_EQ((*sampler)->lost(), 0U);
}

}  // namespace
}  // namespace vtax
