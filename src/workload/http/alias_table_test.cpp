#include "workload/http/alias_table.h"

#include <gtest/gtest.h>

#include <cmath>

namespace vtax::http {
namespace {

TEST(AliasTable, DrawsByWeight) {
  const std::vector<double> weights{1, 0, 3, 6, 0.5, 9.5};
  const AliasTable table(weights);
  Random random(1);
  constexpr int kDraws = 400'000;
  std::vector<int> seen(weights.size());
  for (int i = 0; i < kDraws; ++i) ++seen[table.draw(random)];
  for (std::size_t i = 0; i < weights.size(); ++i) {
    const double p = weights[i] / 20, expected = p * kDraws;
    EXPECT_NEAR(seen[i], expected, 5 * std::sqrt(expected) + 0.5) << i;  // 5 standard deviations
  }
}

TEST(AliasTable, OneWeightIsAlwaysDrawn) {
  const AliasTable table({0.3});
  Random random(7);
  for (int i = 0; i < 100; ++i) EXPECT_EQ(table.draw(random), 0u);
}

}  // namespace
}  // namespace vtax::http
