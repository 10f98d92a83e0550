#include "machine/parts/release_apt.h"

#include <gmock/gmock.h>

#include "core/files.h"
#include "machine/parts/apt_sources.h"
#include "machine/parts/fake_archive_for_test.h"

namespace vtax::lab {
namespace {

using testing::HasSubstr;
using testing::Not;

class ReleaseApt : public FakeArchive {
 protected:
  // One that this computer is not of.
  static const DebianRelease& another_release() {
    return own_release() == &kDebianReleases[1] ? kDebianReleases[0] : kDebianReleases[1];
  }
  static void hear(std::string_view) {}
};

TEST_F(ReleaseApt, FetchesAnotherReleasesSetsBesideThisComputersOwn) {
  if (own_release() == nullptr ||
      sources_for_other_suite(machine_sources(), release_codename(), "other").empty())
    GTEST_SKIP() << "this computer is no Debian, or its apt has no source of its own release";
  package("linux-image-amd64", "linux-image-9-amd64");
  package("linux-image-9-amd64");
  auto cache = PackageCache::open();
  ASSERT_TRUE(cache) << cache.error().text();
  const auto own = cache->fetch(PackageSet::kernel, Apt(), hear, Fetch::name);
  ASSERT_TRUE(own) << own.error().text();
  const auto log_before = read_text(folder / "log");
  EXPECT_THAT(*log_before, Not(HasSubstr("update")));
  const std::string stack(another_release().stack);
  const auto other = fetch_of_release(PackageSet::kernel, stack, *cache, Apt(), hear, Fetch::name);
  ASSERT_TRUE(other) << other.error().text();
  EXPECT_NE(own->root, other->root);
  EXPECT_THAT(other->root.filename().string(), HasSubstr(stack + ".kernel-"));
  EXPECT_TRUE(std::filesystem::exists(own->root)) << "the other release's takes no one's place";
  // By lists of its own, to which what is installed here is nothing.
  const auto log = read_text(folder / "log");
  EXPECT_THAT(*log, HasSubstr("Dir::State::status=/dev/null update"));
  EXPECT_THAT(*log, HasSubstr("releases/" + std::string(another_release().codename) + "/lists"));
  const auto sources =
      read_text(cache->directory() / "releases" / another_release().codename / "sources" / "vtax.sources");
  ASSERT_TRUE(sources);
  EXPECT_THAT(*sources, HasSubstr("Suites: " + std::string(another_release().codename) + "\n"));
  // A second time nobody is asked.
  const int calls_before = calls();
  EXPECT_TRUE(fetch_of_release(PackageSet::kernel, stack, *cache, Apt(), hear, Fetch::name));
  EXPECT_EQ(calls(), calls_before);
}

TEST_F(ReleaseApt, OfThisComputersOwnReleaseTheSetsAreTheUsualOnes) {
  package("linux-image-amd64", "linux-image-9-amd64");
  package("linux-image-9-amd64");
  auto cache = PackageCache::open();
  ASSERT_TRUE(cache) << cache.error().text();
  const std::string own(own_release() == nullptr ? kOwnDistribution : own_release()->stack);
  const auto set = fetch_of_release(PackageSet::kernel, own, *cache, Apt(), hear, Fetch::name);
  ASSERT_TRUE(set) << set.error().text();
  EXPECT_EQ(cache->find(PackageSet::kernel)->root, set->root);
}

}  // namespace
}  // namespace vtax::lab
