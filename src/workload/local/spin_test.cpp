#include "workload/local/spin.h"

#include <gtest/gtest.h>

namespace vtax {
namespace {

TEST(Spin, IsXorshift) {
  EXPECT_EQ(spin(kSpinStart, 0), kSpinStart);
  EXPECT_EQ(spin(kSpinStart, 1), 8748534153485358512ULL);  // Marsaglia 2003, "Xorshift RNGs"
  EXPECT_EQ(spin(spin(kSpinStart, 3), 4), spin(kSpinStart, 7));
}

TEST(Spin, DoesWhatWasAsked) {
  const auto report = run_spin({1000, false});
  ASSERT_TRUE(report);
  EXPECT_EQ(report->transactions, Transactions(1000));
  EXPECT_FALSE(run_spin({0, false}));
}

}  // namespace
}  // namespace vtax
