#include "query/measured.h"

#include <gtest/gtest.h>

namespace vtax {
namespace {

TEST(BusiestShare, AddsUpACpusDomainsAndLeavesThePeerOut) {
  WindowCost run;
  EXPECT_EQ(busiest_share(run), 0);
  run.busy = {{0, "Domain-0", 300}, {1, "peer", 990}, {2, "guest1", 400}, {2, "Domain-0", 50}};
  EXPECT_EQ(busiest_share(run), 0);  // of no window
  run.window_ns = 1000;
  EXPECT_DOUBLE_EQ(busiest_share(run), 0.45);
}

}  // namespace
}  // namespace vtax
