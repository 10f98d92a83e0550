#include "cli/machines.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "study/catalogue.h"

namespace vtax {
namespace {

Trial on_native() {
  Trial trial;
  trial.factors = {{"platform", "native"}};
  return trial;
}

TEST(Machines, EveryMachineThatAStudyCanNameRunsTrials) {
  for (const std::string_view name : machines()) {
    const auto machine = make_machine(name, {}, 3);
    ASSERT_TRUE(machine) << name << ": " << machine.error().text();
    EXPECT_TRUE((*machine)->check({on_native()})) << name;
    EXPECT_GE((*machine)->at_once(), 1) << name;
  }
  EXPECT_FALSE(make_machine("moon", {}, 3));
}

TEST(Machines, AnOwnXenIsForPlatformsThatHaveOne) {
  OwnBuilds own;
  own.xen = "/nowhere/xen.gz";
  const auto lab = make_machine("lab", own, 1);
  ASSERT_TRUE(lab);
  const auto without = (*lab)->check({on_native()});
  ASSERT_FALSE(without);
  EXPECT_THAT(without.error().text(), testing::HasSubstr("no platform of this run has Xen"));
  const auto host = make_machine("host", own, 1);
  ASSERT_TRUE(host);
  const auto refused = (*host)->check({on_native()});
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().text(), testing::HasSubstr("cannot use --xen on machine host"));
}

}  // namespace
}  // namespace vtax
