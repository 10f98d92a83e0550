#include "machine/parts/package_cache.h"

#include <gmock/gmock.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <thread>

#include "core/files.h"
#include "machine/parts/fake_archive_for_test.h"

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
  [[nodiscard]] Result<FetchedSet> fetch(Fetch why = Fetch::content, std::string* said = nullptr) const {
    const TellStep say = [&](std::string_view text) {
      if (said != nullptr) *said += std::string(text) + "\n";
    };
    return cache().fetch(PackageSet::kernel, Apt(), say, why);
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
  EXPECT_EQ(fetch(Fetch::newer)->packages[0].version, "2");
  EXPECT_EQ(fetch()->packages[0].version, "2");
}

TEST_F(PackageCacheTest, WhatBecameNewerTakesTheOldOnesPlaceOnceNobodyUsesIt) {
  auto first = fetch();
  ASSERT_TRUE(first);
  const auto old = first->root;
  package("linux-image-6", "", "2");
  ASSERT_TRUE(fetch(Fetch::newer));
  EXPECT_TRUE(std::filesystem::exists(old / "usr" / "linux-image-6"));  // `first` uses it
  first->in_use.reset();
  const auto now = fetch(Fetch::newer);
  ASSERT_TRUE(now);
  EXPECT_FALSE(std::filesystem::exists(old));
  EXPECT_TRUE(std::filesystem::exists(now->root / "usr" / "linux-image-6"));
}

TEST_F(PackageCacheTest, CleaningKeepsWhatIsInUse) {
  auto set = fetch();
  ASSERT_TRUE(set);
  const auto image = folder / "cache" / "images" / "native-1";
  std::filesystem::create_directories(image);
  ASSERT_TRUE(write_text(image / "vmlinux", std::string(1 << 20, 'x')));
  std::filesystem::create_directories(folder / "cache" / "temporary" / "left");
  InUse used = use_folder(image);
  const auto quiet = [] { ADD_FAILURE() << "nobody adds"; };
  auto cleaned = cache().clean(true, quiet);
  ASSERT_TRUE(cleaned) << cleaned.error().text();
  EXPECT_EQ(cleaned->in_use, 2);
  EXPECT_TRUE(nothing_temporary());
  EXPECT_TRUE(cache().find(PackageSet::kernel));
  used.reset();
  cleaned = cache().clean(false, quiet);
  EXPECT_EQ(cleaned->in_use, 0);
  EXPECT_GE(cleaned->freed_bytes, 1U << 20);
  EXPECT_FALSE(std::filesystem::exists(image));
  EXPECT_TRUE(cache().find(PackageSet::kernel));
  set->in_use.reset();
  EXPECT_EQ(cache().clean(true, quiet)->in_use, 0);
  EXPECT_FALSE(cache().find(PackageSet::kernel));
  EXPECT_TRUE(std::filesystem::is_empty(folder / "cache" / "packages"));
}

TEST_F(PackageCacheTest, CleaningWaitsForWhoAdds) {
  auto adding = cache();
  bool waited = false;
  std::jthread cleaner;
  const auto added = adding.add(
      folder / "cache" / "images" / "x", "x",
      [&](const std::filesystem::path& into) {
        cleaner = std::jthread([&] { EXPECT_TRUE(cache().clean(false, [&] { waited = true; })); });
        std::this_thread::sleep_for(std::chrono::milliseconds(100));
        return write_text(into / "file", "whole");
      },
      [](std::string_view) {});
  EXPECT_TRUE(added);
  cleaner.join();
  EXPECT_TRUE(waited);
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

TEST_F(PackageCacheTest, AnUnsignedArchiveIsCalledThat) {
  program("apt-get",
          "echo 'E: There were unauthenticated packages and -y was used without --allow-unauthenticated' "
          ">&2; exit 100");
  const auto text = fetch().error().text();
  EXPECT_THAT(text, HasSubstr("not signed by a key that apt knows"));
  EXPECT_THAT(text, testing::Not(HasSubstr("network connection")));
}

// In a mount namespace of its own: root may write wherever the file system lets it.
TEST_F(PackageCacheTest, WhatMayOnlyBeReadCanBeUsed) {
  ASSERT_TRUE(fetch());
  const std::string place = (folder / "cache").string();
  const pid_t child = ::fork();
  if (child == 0) {
    const bool alone =
        ::unshare(CLONE_NEWNS) == 0 && ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0 &&
        ::mount(place.c_str(), place.c_str(), nullptr, MS_BIND, nullptr) == 0 &&
        ::mount("none", place.c_str(), nullptr, MS_BIND | MS_REMOUNT | MS_RDONLY, nullptr) == 0;
    if (!alone) ::_exit(77);
    std::filesystem::path made;
    {
      auto only_read = cache();
      made = only_read.workplace();
      const auto image = only_read.image("native-1");
      const bool works =
          made != only_read.directory() && only_read.find(PackageSet::kernel) && fetch() &&
          only_read.add(
              image, "native 1", [](const auto& into) { return write_text(into / "file", "x"); },
              [](std::string_view) {}) &&
          read_text(image / "file") == "x" && image.string().starts_with(made.string());
      if (!works) ::_exit(1);
      const auto cleaned = only_read.clean(false, [] {});
      if (cleaned || cleaned.error().next.find("VTAX_CACHE") == std::string::npos) ::_exit(2);
    }
    ::_exit(std::filesystem::exists(made) ? 3 : 0);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFEXITED(status));
  if (WEXITSTATUS(status) == 77) GTEST_SKIP() << "needs the right to mount (run as root)";
  EXPECT_EQ(WEXITSTATUS(status), 0);
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

TEST_F(PackageCacheTest, ADamagedSetIsFetchedAnewWithAWordWhereItsFilesAreRead) {
  const auto first = fetch();
  const auto file = first->root / "usr" / "linux-image-6";
  const auto damage = [&] { return write_text(file, "content of linux-image-7\n"); };
  ASSERT_TRUE(damage());
  std::string said;
  const int calls_before = calls();
  ASSERT_TRUE(fetch(Fetch::name, &said));
  EXPECT_EQ(said, "");
  EXPECT_EQ(calls(), calls_before);
  for (const Fetch why : {Fetch::content, Fetch::newer}) {
    ASSERT_TRUE(damage());
    said.clear();
    const auto again = fetch(why, &said);
    ASSERT_TRUE(again) << again.error().text();
    EXPECT_THAT(said, HasSubstr("damaged"));
    EXPECT_THAT(said, HasSubstr("usr/linux-image-6 is not what it was"));
    EXPECT_EQ(again->root, first->root);
    EXPECT_EQ(read_text(file).value(), "content of linux-image-6\n");
    EXPECT_TRUE(nothing_temporary());
  }
  ASSERT_TRUE(damage());
  std::ofstream(folder / "offline") << "";
  EXPECT_FALSE(fetch());
}

TEST_F(PackageCacheTest, ASetWithoutAListOfItsContentIsNotThere) {
  const auto first = fetch();
  std::filesystem::remove(first->root / "content.list");
  EXPECT_FALSE(cache().find(PackageSet::kernel));
  const auto again = fetch(Fetch::name);
  ASSERT_TRUE(again) << again.error().text();
  EXPECT_TRUE(again->check());
}

TEST_F(PackageCacheTest, ACacheThatAnotherUserMayWriteIsRefused) {
  using std::filesystem::perm_options;
  using std::filesystem::perms;
  const auto place = folder / "cache";
  ASSERT_TRUE(fetch());
  for (const auto& part : {place, place / "packages"})
    for (const perms bit : {perms::group_write, perms::others_write}) {
      std::filesystem::permissions(part, bit, perm_options::add);
      const auto opened = PackageCache::open(place);
      ASSERT_FALSE(opened);
      EXPECT_THAT(opened.error().text(), HasSubstr("another user may write to it"));
      EXPECT_THAT(opened.error().text(), HasSubstr("chmod -R go-w " + part.string()));
      std::filesystem::permissions(part, bit, perm_options::remove);
      EXPECT_TRUE(PackageCache::open(place));
    }
  if (::geteuid() != 0) return;  // of the rest only root can say that it is another's
  ASSERT_EQ(::chown(place.c_str(), 1234, 1234), 0);
  EXPECT_FALSE(PackageCache::open(place));
  ASSERT_EQ(::chown(place.c_str(), 0, 0), 0);
}

TEST_F(PackageCacheTest, WhatItMakesIsItsUsersAloneWhateverTheUmask) {
  const mode_t before = ::umask(0);
  EXPECT_TRUE(PackageCache::open(folder / "cache"));
  EXPECT_TRUE(fetch());
  ::umask(before);
  EXPECT_TRUE(PackageCache::open(folder / "cache"));
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
