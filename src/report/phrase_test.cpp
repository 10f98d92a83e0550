#include "report/phrase.h"

#include <gtest/gtest.h>

#include "study/catalogue.h"

namespace vtax {
namespace {

TEST(IsUsual, KnowsTheCataloguesDefaultsOfPlacement) {
  for (const Factor& factor : common_factors()) {
    const std::string name(factor.name);
    const bool always_told = name == "platform" || name == "topology" || name == "offloads";
    EXPECT_EQ(is_usual(name, std::string(factor.fallback)), !always_told) << name;
    EXPECT_FALSE(is_usual(name, "7")) << name;
  }
}

}  // namespace
}  // namespace vtax
