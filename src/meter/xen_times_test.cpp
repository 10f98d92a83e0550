#include "meter/xen_times.h"

#include <gtest/gtest.h>
#include <unistd.h>

namespace vtax::meter {
namespace {

// The call itself is tested where there is a Xen: in the lab (tests/lab/books_test.cpp).
TEST(XenTimes, ElsewhereTheyAreAnErrorThatSaysSo) {
  if (access("/proc/xen", F_OK) == 0) GTEST_SKIP() << "this computer runs on Xen";
  const auto times = read_xen_times(std::vector{0, 1});
  ASSERT_FALSE(times);
  EXPECT_EQ(times.error().code, ExitCode::unavailable);
  EXPECT_NE(times.error().text().find("Domain-0"), std::string::npos);
}

}  // namespace
}  // namespace vtax::meter
