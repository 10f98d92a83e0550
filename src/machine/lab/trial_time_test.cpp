#include "machine/lab/trial_time.h"

#include <gtest/gtest.h>

namespace vtax::lab {
namespace {

TEST(TrialTime, SpeedIsARatioInLowestTerms) {
  const auto speed_of = [](int mips) {
    TrialSpec trial;
    trial.cpu_mips = mips;
    return time_of(trial).speed;
  };
  EXPECT_EQ(speed_of(300), (Speed{10, 3}));
  EXPECT_EQ(speed_of(500), (Speed{2, 1}));
  EXPECT_EQ(speed_of(997), (Speed{1000, 997}));
}

TEST(Busy, IsWhatEachDomainExecutedOnEachCpuWithoutItsIdleLoop) {
  Trial trial;
  trial.peer_total = Instructions(50);
  trial.ledger = {{0, "Domain-0", Layer::driver, Part::kernel, "instructions", 30},
                  {0, "Domain-0", Layer::hypervisor, Part::none, "instructions", 6},
                  {0, "Domain-0", Layer::idle, Part::none, "instructions", 1000},
                  {0, "Domain-0", Layer::hypervisor, Part::none, "hypercalls", 99},
                  {2, "guest1", Layer::kernel, Part::none, "instructions", 9}};
  const std::vector<Busy> busy = busy_of(trial, {10, 3}, 1);
  EXPECT_EQ(busy, (std::vector<Busy>{{0, "Domain-0", 120}, {1, "peer", 166}, {2, "guest1", 30}}));
}

TEST(Busy, AtPricesIsWhatInstructionsAndEventsTook) {
  Trial trial;
  trial.factors = {{"platform", "xen-pv"}};
  trial.peer_total = Instructions(50);
  trial.ledger = {{0, "Domain-0", Layer::driver, Part::kernel, "instructions", 30},
                  {0, "Domain-0", Layer::driver, Part::program, "instructions", 10},
                  {0, "Domain-0", Layer::hypervisor, Part::none, "instructions", 6},
                  {0, "Domain-0", Layer::hypervisor, Part::none, "hypercalls", 2},
                  {0, "Domain-0", Layer::idle, Part::none, "instructions", 1000},
                  {2, "guest1", Layer::kernel, Part::none, "instructions", 9},
                  {2, "guest1", Layer::kernel, Part::none, "system_calls", 99}};
  const auto prices = read_lab_prices("kernel:2+program:1+hypervisor:5+hypercalls:100");
  ASSERT_TRUE(prices);
  EXPECT_EQ(busy_of(trial, *prices),
            (std::vector<Busy>{{0, "Domain-0", 60 + 10 + 30 + 200}, {2, "guest1", 18}}));
}

}  // namespace
}  // namespace vtax::lab
