#include "machine/lab/variation.h"

#include <gtest/gtest.h>

#include <set>

#include "machine/lab/snapshot_key.h"

namespace vtax::lab {
namespace {

TEST(Variation, EachIsAnotherMachine) {
  std::set<std::string> keys;
  for (const char* text : {"none", "layout-1", "layout-2", "seed-1", "seed-2", "seed-100"}) {
    const auto variation = variation_of(text);
    ASSERT_TRUE(variation) << text;
    MachineSpec spec;
    variation->apply(spec);
    keys.insert(snapshot_key(spec, "hash"));
  }
  EXPECT_EQ(keys.size(), 6U);
  // What tells in the window alone needs no boot.
  const auto timer = variation_of("timer-3");
  ASSERT_TRUE(timer);
  EXPECT_EQ(timer->at_boot(), Variation());
  EXPECT_GT(timer->delay().count(), 0);
  EXPECT_EQ(variation_of("none")->delay().count(), 0);
}

TEST(Variation, WhatIsNoneIsAnError) {
  for (const char* text :
       {"", "layout", "layout-", "layout-0", "layout-101", "layout-1x", "other-1", "-1", "none-1"})
    EXPECT_FALSE(variation_of(text)) << text;
}

}  // namespace
}  // namespace vtax::lab
