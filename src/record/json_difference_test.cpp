#include "record/json_difference.h"

#include <gtest/gtest.h>

namespace vtax {
namespace {

TEST(JsonDifference, NamesThePathAndBothValues) {
  const auto found = json_differences(R"({"a": {"b": [1, 2]}, "same": true})",
                                      R"({"a": {"b": [1]}, "same": true, "c": "x"})");
  ASSERT_EQ(found.size(), 2U);
  EXPECT_EQ(found[0].path, "/a/b/1");
  EXPECT_EQ(found[0].left, "2");
  EXPECT_EQ(found[0].right, "nothing");
  EXPECT_EQ(found[1].path, "/c");
  EXPECT_EQ(found[1].right, "\"x\"");
}

TEST(JsonDifference, WhatIsNoObjectIsEmpty) {
  EXPECT_TRUE(json_differences("", "[1]").empty());
  EXPECT_EQ(json_differences("{broken", R"({"a": 1})").size(), 1U);
}

}  // namespace
}  // namespace vtax
