#include "core/line_fit.h"

#include <gtest/gtest.h>

namespace vtax {
namespace {

TEST(LineFit, FindsALine) {
  const auto fit = fit_line({{0, 3}, {1, 5}, {4, 11}});
  ASSERT_TRUE(fit);
  EXPECT_NEAR(fit->constant, 3, 1e-12);
  EXPECT_NEAR(fit->slope, 2, 1e-12);
  EXPECT_NEAR(*fit->r_squared, 1, 1e-12);
  EXPECT_NEAR(fit->greatest_residual, 0, 1e-12);
}

// Draper, Smith: by hand. Points (1, 1), (2, 2), (3, 2): slope 1/2, constant 2/3, residuals -1/6, 1/3, -1/6.
TEST(LineFit, SaysHowWellItFits) {
  const auto fit = fit_line({{1, 1}, {2, 2}, {3, 2}});
  EXPECT_NEAR(fit->slope, 0.5, 1e-12);
  EXPECT_NEAR(fit->constant, 2.0 / 3, 1e-12);
  EXPECT_NEAR(*fit->r_squared, 0.75, 1e-12);
  EXPECT_NEAR(fit->greatest_residual, 1.0 / 3, 1e-12);
}

TEST(LineFit, NeedsTwoPlaces) {
  EXPECT_FALSE(fit_line({}));
  EXPECT_FALSE(fit_line({{1, 1}}));
  EXPECT_FALSE(fit_line({{1, 1}, {1, 2}}));
  const auto flat = fit_line({{1, 5}, {2, 5}});
  EXPECT_EQ(flat->slope, 0);
  EXPECT_FALSE(flat->r_squared);
  EXPECT_FALSE(fit_line({{1, 5}, {2, 6}})->r_squared);  // a line goes through any two points
}

}  // namespace
}  // namespace vtax
