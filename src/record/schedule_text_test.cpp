#include "record/schedule_text.h"

#include <gtest/gtest.h>

namespace vtax {
namespace {

const Schedule kShort{
    {{"guest1", 0}, {"idle", 2}}, {{2, 0, 0, 1000}, {2, 1, 1000, 1500}, {2, 0, 1500, 2500, 1400}}, 7};

TEST(ScheduleText, IsReadAsItWasWritten) {
  const auto read = read_schedule(schedule_text(kShort));
  ASSERT_TRUE(read);
  EXPECT_EQ(*read, kShort);
}

TEST(ScheduleText, OtherFormsAreRefused) {
  const std::string good = schedule_text(kShort);
  const auto with = [&](const std::string& part, const std::string& by) {
    std::string text = good;
    const auto place = text.find(part);
    EXPECT_NE(place, std::string::npos) << part;
    return text.replace(place, part.size(), by);
  };
  for (const std::string& text :
       {std::string(), std::string("[]"), good.substr(0, good.size() - 1), with("\"left_out\":7", "\"x\":7"),
        with("\"cpu\":[2,2,2]", "\"cpu\":[2,2]"), with("\"cpu\":[2,2,2]", "\"cpu\":[2,2,70000]"),
        with("\"vcpu\":[0,1,0]", "\"vcpu\":[0,1,2]"), with("[0,1000,1500]", "[0,-1,1500]"),
        with("[null,null,1400]", "[null,null,\"x\"]"), with("\"number\":2", "\"number\":\"x\"")})
    EXPECT_FALSE(read_schedule(text)) << text;
}

}  // namespace
}  // namespace vtax
