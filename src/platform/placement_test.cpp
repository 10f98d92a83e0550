#include "platform/placement.h"

#include <gtest/gtest.h>
#include <sched.h>

namespace vtax {
namespace {

constexpr char kInterrupts[] =
    "           CPU0       CPU1       CPU2\n"
    "  8:          0          0          0   IO-APIC   8-edge      rtc0\n"
    " 24:      12034          0          0   xen-dyn    -event     vif1.0-q0-tx\n"
    " 25:       5012          0          0   xen-dyn    -event     vif1.0-q0-rx\n"
    " 26:          1          0          0   PCI-MSIX-0000:00:04.0   0-edge      eth0-rx-0\n"
    "NMI:          0          0          0   Non-maskable interrupts\n";

TEST(Placement, FindsInterruptsByTheirNamesPrefix) {
  EXPECT_EQ(find_interrupts(kInterrupts, "vif1.0"), (std::vector<int>{24, 25}));
  EXPECT_EQ(find_interrupts(kInterrupts, "eth0-"), std::vector<int>{26});
  EXPECT_TRUE(find_interrupts(kInterrupts, "vif2.0").empty());
  EXPECT_TRUE(find_interrupts("", "vif1.0").empty());
}

TEST(Placement, AnInterruptWithoutANumberIsLeftAlone) {
  EXPECT_TRUE(find_interrupts(kInterrupts, "interrupts").empty());
}

TEST(Placement, NoSuchDeviceIsAnErrorThatNamesIt) {
  const auto none = interrupts_of("nosuchdev0");
  ASSERT_FALSE(none);
  EXPECT_NE(none.error().text().find("nosuchdev0"), std::string::npos);
}

TEST(Placement, PinsTheCaller) {
  cpu_set_t before;
  ASSERT_EQ(sched_getaffinity(0, sizeof before, &before), 0);
  const int cpu = sched_getcpu();
  ASSERT_TRUE(pin(0, cpu));
  EXPECT_EQ(sched_getcpu(), cpu);
  ASSERT_EQ(sched_setaffinity(0, sizeof before, &before), 0);
  EXPECT_FALSE(pin(0, 1000));
}

}  // namespace
}  // namespace vtax
