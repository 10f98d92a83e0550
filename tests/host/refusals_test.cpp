// What cannot be measured on this computer, and what is said of it.

#include <gmock/gmock.h>

#include "machine/host/host_readiness.h"
#include "tests/host/host_study.h"

namespace vtax {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

TEST_F(Host, WhatAPlatformCannotDoIsLeftOut) {
  need_platform("container");
  if (IsSkipped()) return;
  const auto result = run(study("native,container,uml", "disk --set bytes=1048576 --reps 1 --json"));
  ASSERT_EQ(result.code, 0) << result.err;
  EXPECT_THAT(result.err, testing::HasSubstr("left out: on machine host platform 'uml' has no disk"));
  EXPECT_EQ(json::parse(result.out)["trials"].size(), 2U);
}

TEST_F(Host, XenIsRefusedBeforeAnythingRuns) {
  if (host::examine_platform(PlatformId::xen_pv).state != lab::State::missing) GTEST_SKIP() << "it runs here";
  const auto result = run(study("xen-pv", "tcp-rr"));
  EXPECT_EQ(result.code, 3);
  EXPECT_THAT(result.err, testing::HasSubstr("cannot run the platform xen-pv on this computer"));
  EXPECT_TRUE(fs::is_empty(folder_));
}

// Every test's environment has VTAX_NO_KVM (tests/CMakeLists.txt); here also when it is run by hand.
TEST_F(Host, KvmIsRefusedWhereItIsForbidden) {
  setenv(host::kNoKvmVariable, "1", 1);
  for (const std::string platform : {"kvm", "kvm-qemu"}) {
    const auto result = run(study(platform, "tcp-rr"));
    EXPECT_EQ(result.code, 3);
    EXPECT_THAT(result.err, testing::HasSubstr("cannot run the platform " + platform + " on this computer"));
    EXPECT_THAT(result.err, testing::HasSubstr("VTAX_NO_KVM is set"));
    EXPECT_TRUE(fs::is_empty(folder_));
  }
}

TEST_F(Host, CardsAreRefused) {
  const auto result = run(study("native", "tcp-rr --set topology=card"));
  EXPECT_EQ(result.code, 2);
  EXPECT_THAT(result.err, testing::HasSubstr("only topology 'inside'"));
}

}  // namespace
}  // namespace vtax
