#include "core/json_fields.h"

#include <gtest/gtest.h>

namespace vtax {
namespace {

TEST(JsonFields, RefusesWhatIsNotOneObject) {
  const std::string deep(100'000, '[');
  const std::string large = "{\"a\":\"" + std::string(JsonFields::kMostBytes, 'x') + "\"}";
  for (const std::string& text : {std::string(), std::string("{"), std::string("[1]"), std::string("7"),
                                  std::string("{} {}"), std::string("{\"a\":\xff\xfe}"), deep, large}) {
    const auto fields = JsonFields::parse("read the plan", text);
    ASSERT_FALSE(fields) << text.substr(0, 20);
    EXPECT_EQ(fields.error().what, "read the plan");
  }
}

TEST(JsonFields, BracketsInsideStringsAreNotDepth) {
  EXPECT_TRUE(JsonFields::parse("x", "{\"a\":\"[[[[[[[[[[[[[[[[[[[[[[[[[[[[\\\"[[[\"}"));
}

TEST(JsonFields, ErrorsNameTheKey) {
  const auto fields = JsonFields::parse("x", R"({"n":-1,"f":1.5,"s":"text","b":1,"big":5,"o":[]})");
  ASSERT_TRUE(fields);
  EXPECT_EQ(fields->number("none", 0, 9).error().why, "'none' is missing");
  EXPECT_EQ(fields->number("n", 0, 9).error().why, "'n' is not a whole number");
  EXPECT_EQ(fields->number("f", 0, 9).error().why, "'f' is not a whole number");
  EXPECT_EQ(fields->number("big", 0, 4).error().why, "'big' is 5, not between 0 and 4");
  EXPECT_EQ(fields->boolean("b").error().why, "'b' is not true or false");
  EXPECT_EQ(fields->text("b").error().why, "'b' is not a string");
  EXPECT_EQ(fields->text("s", 3).error().why, "'s' is longer than 3");
  EXPECT_EQ(fields->object("o").error().why, "'o' is not an object");
  EXPECT_EQ(fields->only({"n", "f", "s", "b", "o"}).error().why, "'big' is not known");
}

}  // namespace
}  // namespace vtax
