#include "machine/lab/package_cache.h"

#include <gmock/gmock.h>
#include <signal.h>
#include <sys/wait.h>

#include <thread>

#include "core/files.h"
#include "machine/lab/fake_archive_for_test.h"

namespace vtax::lab {
namespace {

using testing::HasSubstr;

class PackageCacheTest : public FakeArchive {
 protected:
  void SetUp() override {
    FakeArchive::SetUp();
    package("linux-image-amd64", "linux-image-6");
    package("linux-image-6");
  }
  [[nodiscard]] PackageCache cache() const { return PackageCache::open(folder / "cache").value(); }
  [[nodiscard]] Result<FetchedSet> fetch(bool refresh = false) const {
    return cache().fetch(
        PackageSet::kernel, Apt(), [](std::string_view) {}, refresh);
  }
  [[nodiscard]] bool nothing_temporary() const {
    return !std::filesystem::exists(folder / "cache" / "temporary");
  }
};

TEST_F(PackageCacheTest, FetchesOnceThenAsksNobody) {
  const auto first = fetch();
  ASSERT_TRUE(first) << first.error().text();
  EXPECT_EQ(read_text(first->root / "usr" / "linux-image-6").value(), "content of linux-image-6\n");
  EXPECT_FALSE(std::filesystem::exists(first->root / "debs"));
  EXPECT_TRUE(nothing_temporary());

  const int calls_before = calls();
  const auto second = fetch();
  ASSERT_TRUE(second);
  EXPECT_EQ(calls(), calls_before);
  EXPECT_EQ(second->root, first->root);
  ASSERT_EQ(second->packages.size(), 1U);
  EXPECT_EQ(second->packages[0].sha256, sha256_hex("content of linux-image-6\n"));
}

TEST_F(PackageCacheTest, RefreshTakesWhatBecameNewer) {
  const auto first = fetch();
  package("linux-image-6", "", "2");
  EXPECT_EQ(fetch()->packages[0].version, "1");
  EXPECT_EQ(fetch(true)->packages[0].version, "2");
  EXPECT_EQ(fetch()->packages[0].version, "2");
}

TEST_F(PackageCacheTest, WrongHashIsRefusedAndLeavesNothing) {
  program("apt-get", "echo other > linux-image-6_1_amd64.deb");
  const auto set = fetch();
  ASSERT_FALSE(set);
  EXPECT_THAT(set.error().why, HasSubstr("index says " + sha256_hex("content of linux-image-6\n")));
  EXPECT_FALSE(cache().find(PackageSet::kernel));
  EXPECT_TRUE(nothing_temporary());
}

TEST_F(PackageCacheTest, NoNetworkAndFullDiskSayWhatToDo) {
  std::ofstream(folder / "offline") << "";
  EXPECT_THAT(fetch().error().text(), HasSubstr("check the network connection"));
  EXPECT_EQ(fetch().error().code, ExitCode::unavailable);
  std::filesystem::remove(folder / "offline");
  program("dpkg-deb", "echo 'tar: usr/x: Cannot write: No space left on device' >&2; exit 2");
  EXPECT_THAT(fetch().error().text(), HasSubstr("free some space"));
  EXPECT_EQ(fetch().error().code, ExitCode::io);
  EXPECT_TRUE(nothing_temporary());
}

TEST_F(PackageCacheTest, UnwritablePlaceSaysWhatToDo) {
  const auto cache = PackageCache::open("/proc/vtax");
  ASSERT_FALSE(cache);
  EXPECT_THAT(cache.error().text(), HasSubstr("VTAX_CACHE"));
}

TEST_F(PackageCacheTest, KilledFetchLeavesNothingThatIsTrusted) {
  program("dpkg-deb", "mkdir -p $3/usr; echo half > $3/usr/linux-image-6; touch $FAKE/started; sleep 100");
  const pid_t child = ::fork();
  if (child == 0) {
    (void)fetch();
    ::_exit(0);
  }
  while (!std::filesystem::exists(folder / "started"))
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
  EXPECT_FALSE(cache().find(PackageSet::kernel));

  program("dpkg-deb", "mkdir -p $3/usr; cp $2 $3/usr/linux-image-6");
  const auto set = fetch();
  ASSERT_TRUE(set) << set.error().text();
  EXPECT_EQ(read_text(set->root / "usr" / "linux-image-6").value(), "content of linux-image-6\n");
  EXPECT_TRUE(nothing_temporary());
}

TEST_F(PackageCacheTest, ConcurrentFetchesShareOneDownload) {
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) threads.emplace_back([this] { EXPECT_TRUE(fetch()); });
  for (std::thread& thread : threads) thread.join();
  int downloads = 0;
  std::ifstream log(folder / "log");
  for (std::string line; std::getline(log, line);)
    downloads += line.find(" download ") != std::string::npos ? 1 : 0;
  EXPECT_EQ(downloads, 1);
}

TEST_F(PackageCacheTest, DamagedManifestIsNotTrusted) {
  const auto set = fetch();
  const auto manifest = folder / "cache" / "packages" / "kernel.json";
  const std::string good = read_text(manifest).value();
  const std::string hash = set->packages[0].sha256;
  for (const std::string& bad :
       {std::string("{"), std::string("[]"), std::string("{\"schema\": 1}"), good.substr(0, good.size() / 2),
        "{\"schema\":1,\"directory\":\"../../etc\",\"packages\":[{\"name\":\"" + hash + "\"}]}"}) {
    ASSERT_TRUE(write_text(manifest, bad));
    EXPECT_FALSE(cache().find(PackageSet::kernel)) << bad;
  }
  EXPECT_TRUE(fetch());
}

}  // namespace
}  // namespace vtax::lab
