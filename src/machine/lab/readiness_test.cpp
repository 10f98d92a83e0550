#include "machine/lab/readiness.h"

#include <gmock/gmock.h>

#include "machine/parts/fake_archive_for_test.h"

namespace vtax::lab {
namespace {

using testing::HasSubstr;

class Readiness : public FakeArchive {
 protected:
  void SetUp() override {
    FakeArchive::SetUp();
    ::unsetenv("VTAX_QEMU");
    program("qemu-system-x86_64", "echo 'QEMU emulator version 10.0.2'; echo '-plugin x'");
    package("linux-image-amd64", "linux-image-6");
    package("linux-image-6", "", "6.1-1");
    package("xen-hypervisor-4.17-amd64", "", "4.17-1");
    package("xen-utils-4.17");
  }
  static Check check(const std::string& name) {
    for (Check& each : examine_machine())
      if (each.name == name) return each;
    ADD_FAILURE() << name;
    return {};
  }
};

TEST_F(Readiness, WhatTheFirstRunFetchesIsNoHindrance) {
  EXPECT_EQ(check("Linux").state, State::fetchable);
  EXPECT_EQ(check("Linux").detail, "linux-image-amd64 1");
  EXPECT_EQ(check("Xen").mend, "vtax lab fetch");
  EXPECT_EQ(check("QEMU").state, State::good);
}

TEST_F(Readiness, CachedPackagesAreGoodWithoutAnArchive) {
  auto cache = PackageCache::open().value();
  ASSERT_TRUE(cache.fetch(
      PackageSet::kernel, Apt(), [](std::string_view) {}, Fetch::content));
  std::filesystem::remove_all(folder / "pool");
  std::filesystem::create_directories(folder / "pool");
  EXPECT_EQ(check("Linux").state, State::good);
  EXPECT_EQ(check("Xen").state, State::missing);
  EXPECT_THAT(check("Xen").mend, HasSubstr("apt-get update"));
}

TEST_F(Readiness, OldQemuIsFetchableOnlyIfTheArchiveHasOne) {
  program("qemu-system-x86_64", "echo 'QEMU emulator version 7.2.0'");
  EXPECT_EQ(check("QEMU").state, State::missing);
  package("qemu-system-x86", "", "1:7.2");
  EXPECT_EQ(check("QEMU").state, State::fetchable);
  EXPECT_THAT(check("QEMU").detail, HasSubstr("it is QEMU 7.2"));
  ::setenv("VTAX_QEMU", "/nonexistent", 1);
  EXPECT_EQ(check("QEMU").state, State::missing);
  ::unsetenv("VTAX_QEMU");
}

TEST_F(Readiness, WithoutACompilerTheLabRuns) {
  EXPECT_EQ(check("compiler").state, State::missing);
  EXPECT_TRUE(ready({check("compiler")}, PlatformId::native));
}

TEST_F(Readiness, UnwritableCacheIsMissing) {
  ::setenv("VTAX_CACHE", "/proc/vtax", 1);
  EXPECT_EQ(check("cache").state, State::missing);
  EXPECT_FALSE(ready(examine_machine(), PlatformId::native));
}

TEST(ReadinessStates, OnlyMissingThingsHinderAndOnlyWhoNeedsThem) {
  const Check good{"a", State::good, "", ""}, fetchable{"b", State::fetchable, "", ""},
      missing{"c", State::missing, "", ""}, missing_for_xen{"d", State::missing, "", "", has_xen};
  EXPECT_TRUE(ready({good, fetchable}, PlatformId::xen_pv));
  EXPECT_FALSE(ready({good, missing}, PlatformId::native));
  EXPECT_FALSE(ready({good, missing_for_xen}, PlatformId::xen_pv));
  EXPECT_TRUE(ready({good, missing_for_xen}, PlatformId::kvm));
}

}  // namespace
}  // namespace vtax::lab
