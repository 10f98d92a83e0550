// One cache for several processes and several computers: whoever is killed while it fetches or boots, the
// others end with what is whole. Two computers are two FUSE mounts (bindfs) of one folder, in processes of
// two host names: as on most shared storage, a lock of one mount does not reach the other, and there are no
// unnamed files.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <functional>
#include <thread>

#include "core/files.h"
#include "core/subprocess.h"
#include "machine/parts/apt.h"
#include "machine/parts/fake_archive_for_test.h"
#include "machine/parts/lock_reach.h"
#include "machine/parts/package_cache.h"
#include "machine/parts/snapshot_store.h"
#include "machine/parts/whole_file.h"

namespace vtax::lab {
namespace {

namespace fs = std::filesystem;
using std::chrono::milliseconds;
using testing::StartsWith;

constexpr const char* kKey = "machine-1";
constexpr const char* kState = "the state of a booted machine";

class SharedCache : public FakeArchive {
 protected:
  void SetUp() override {
    FakeArchive::SetUp();
    package("linux-image-6");
    package("linux-image-amd64", "linux-image-6");
    fs::create_directories(folder / "cache");
  }
  void TearDown() override {
    for (const pid_t child : children_) {
      ::kill(child, SIGKILL);
      ::waitpid(child, nullptr, 0);
    }
    for (const fs::path& mount : mounts_) ::umount2(mount.c_str(), MNT_DETACH);
    FakeArchive::TearDown();
  }

  // Another process, on a computer of that name; "" for this one. Its exit code is 0 when `work` says so.
  pid_t start(const std::string& node, const std::function<bool()>& work) {
    const pid_t child = ::fork();
    if (child == 0) {
      const bool is_there =
          node.empty() || (::unshare(CLONE_NEWUTS) == 0 && ::sethostname(node.c_str(), node.size()) == 0);
      ::_exit(is_there && work() ? 0 : 1);
    }
    children_.push_back(child);
    return child;
  }
  int wait(pid_t child) {
    std::erase(children_, child);
    int status = 0;
    ::waitpid(child, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  }
  int kill(pid_t child) {
    ::kill(child, SIGKILL);
    return wait(child);
  }

  // Where a computer sees the cache; empty where bindfs is not installed or nothing may be mounted.
  fs::path mounted(const std::string& node) {
    const fs::path at = folder / node;
    fs::create_directories(at);
    const auto done = run_command({{"bindfs", (folder / "cache").string(), at.string()}});
    if (!done || !done->ok()) return {};
    mounts_.push_back(at);
    return at;
  }

  static bool fetch(const fs::path& cache) {
    auto opened = PackageCache::open(cache);
    return opened && opened->fetch(
                         PackageSet::kernel, Apt(), [](std::string_view) {}, Fetch::content);
  }
  // With `hangs` the machine never comes up.
  [[nodiscard]] bool boot(const fs::path& machines, bool hangs) const {
    SnapshotStore store(machines);
    const auto machine = store.open(kKey, [&](const std::string& path) -> Result<> {
      // Another process writes it, as QEMU does.
      const auto written = run_command({{"sh", "-c", "printf '" + std::string(kState) + "' > " + path}});
      touch("booting");
      while (hangs) ::pause();
      return written && written->ok() ? Result<>() : fail({"cannot boot", "", ""});
    });
    return machine && SnapshotStore::check(kKey, *machine);
  }

  void touch(const char* what) const { std::ofstream(folder / what); }
  [[nodiscard]] bool comes(const char* what) const {
    for (int i = 0; i < 1000; ++i) {
      if (fs::exists(folder / what)) return true;
      std::this_thread::sleep_for(milliseconds(10));
    }
    return false;
  }
  // The first to unpack never ends; those after it do.
  void first_unpacks_forever() const {
    program("dpkg-deb",
            "n=$(basename $2); n=${n%%_*}; mkdir -p $3/usr; echo half > $3/usr/$n\n"
            "if mkdir $FAKE/first 2>/dev/null; then touch $FAKE/unpacking; sleep 100; fi\n"
            "cp $2 $3/usr/$n");
  }
  static std::string content(const fs::path& cache) {
    const auto found = PackageCache::open(cache)->find(PackageSet::kernel);
    if (!found || !found->check()) return "no sound set";
    return read_text(found->root / "usr" / "linux-image-6").value_or("");
  }

 private:
  std::vector<pid_t> children_;
  std::vector<fs::path> mounts_;
};

TEST_F(SharedCache, WhoWaitsFetchesWhenTheOneThatFetchesIsKilled) {
  first_unpacks_forever();
  const fs::path cache = folder / "cache";
  const pid_t first = start("", [&] { return fetch(cache); });
  ASSERT_TRUE(comes("unpacking"));
  const pid_t second = start("", [&] { return fetch(cache); });
  std::this_thread::sleep_for(milliseconds(200));
  EXPECT_EQ(::waitpid(second, nullptr, WNOHANG), 0);  // it waits
  EXPECT_EQ(kill(first), 128 + SIGKILL);
  EXPECT_EQ(wait(second), 0);
  EXPECT_EQ(content(cache), "content of linux-image-6\n");
  EXPECT_FALSE(fs::exists(cache / "temporary"));
}

TEST_F(SharedCache, WhoWaitsBootsWhenTheOneThatBootsIsKilled) {
  const fs::path machines = folder / "cache" / "machines";
  const pid_t first = start("", [&] { return boot(machines, true); });
  ASSERT_TRUE(comes("booting"));
  const pid_t second = start("", [&] { return boot(machines, false); });
  std::this_thread::sleep_for(milliseconds(200));
  EXPECT_EQ(::waitpid(second, nullptr, WNOHANG), 0);
  EXPECT_EQ(kill(first), 128 + SIGKILL);
  EXPECT_EQ(wait(second), 0);
  EXPECT_THAT(read_text(machines / (std::string(kKey) + ".machine")).value(), StartsWith(kState));
}

TEST_F(SharedCache, ComputersWithoutEachOthersLocksFetchWhatIsWhole) {
  const fs::path a = mounted("a"), b = mounted("b");
  if (a.empty() || b.empty()) GTEST_SKIP() << "needs bindfs and the right to mount (run as root)";
  EXPECT_TRUE(may_be_shared(a));
  first_unpacks_forever();
  const pid_t first = start("a", [&] { return fetch(a); });
  ASSERT_TRUE(comes("unpacking"));
  // The other neither waits for it nor takes its work away.
  EXPECT_EQ(wait(start("b", [&] { return fetch(b); })), 0);
  EXPECT_EQ(std::distance(fs::directory_iterator(folder / "cache" / "temporary"), {}), 1);
  EXPECT_EQ(kill(first), 128 + SIGKILL);
  EXPECT_EQ(content(folder / "cache"), "content of linux-image-6\n");
  // What is left of it goes with the next that this computer adds.
  package("linux-image-6", "", "2");
  EXPECT_EQ(wait(start("a",
                       [&] {
                         return PackageCache::open(a)
                             ->fetch(
                                 PackageSet::kernel, Apt(), [](std::string_view) {}, Fetch::newer)
                             .has_value();
                       })),
            0);
  EXPECT_TRUE(fs::is_empty(folder / "cache" / "temporary"));
  // The older set may be in use elsewhere, as it was until now.
  EXPECT_EQ(std::distance(fs::directory_iterator(folder / "cache" / "packages"), {}), 3);
}

TEST_F(SharedCache, ComputersThatFetchAtOnceEndWithOneSet) {
  const fs::path a = mounted("a"), b = mounted("b");
  if (a.empty() || b.empty()) GTEST_SKIP() << "needs bindfs and the right to mount (run as root)";
  // Each goes on when both have begun.
  program("dpkg-deb",
          "n=$(basename $2); n=${n%%_*}; mkdir -p $3/usr; echo half > $3/usr/$n; mkdir $FAKE/at.$$\n"
          "while [ $(ls -d $FAKE/at.* | wc -l) -lt 2 ]; do sleep 0.01; done\ncp $2 $3/usr/$n");
  const pid_t first = start("a", [&] { return fetch(a); }), second = start("b", [&] { return fetch(b); });
  EXPECT_EQ(wait(first), 0);
  EXPECT_EQ(wait(second), 0);
  EXPECT_EQ(content(folder / "cache"), "content of linux-image-6\n");
}

TEST_F(SharedCache, ComputersWithoutEachOthersLocksBootWhatIsWhole) {
  const fs::path a = mounted("a"), b = mounted("b");
  if (a.empty() || b.empty()) GTEST_SKIP() << "needs bindfs and the right to mount (run as root)";
  const fs::path machines = folder / "cache" / "machines";
  const pid_t first = start("a", [&] { return boot(a / "machines", true); });
  ASSERT_TRUE(comes("booting"));
  EXPECT_EQ(wait(start("b", [&] { return boot(b / "machines", false); })), 0);
  EXPECT_EQ(kill(first), 128 + SIGKILL);
  const std::string whole = read_text(machines / (std::string(kKey) + ".machine")).value_or("");
  EXPECT_THAT(whole, StartsWith(kState));
  // What the killed one has left is this computer's to remove, not the other's.
  const auto count_parts = [&] {
    int parts = 0;
    for (const auto& entry : fs::directory_iterator(machines))
      parts += entry.path().extension() == WholeFile::kPartSuffix ? 1 : 0;
    return parts;
  };
  EXPECT_EQ(count_parts(), 1);
  const auto clean = [](const fs::path& at) {
    SnapshotStore(at / "machines").remove_all();
    return true;
  };
  EXPECT_EQ(wait(start("b", [&] { return clean(b); })), 0);
  EXPECT_EQ(count_parts(), 1);
  EXPECT_EQ(wait(start("a", [&] { return clean(a); })), 0);
  EXPECT_EQ(count_parts(), 0);
}

// Exchanging two folders is not to be had there.
TEST_F(SharedCache, ADamagedSetIsReplacedThereToo) {
  const fs::path a = mounted("a");
  if (a.empty()) GTEST_SKIP() << "needs bindfs and the right to mount (run as root)";
  ASSERT_EQ(wait(start("a", [&] { return fetch(a); })), 0);
  const auto root = PackageCache::open(a)->find(PackageSet::kernel)->root;
  ASSERT_TRUE(write_text(root / "usr" / "linux-image-6", "content of linux-image-7\n"));
  EXPECT_EQ(wait(start("a", [&] { return fetch(a); })), 0);
  EXPECT_EQ(content(folder / "cache"), "content of linux-image-6\n");
}

}  // namespace
}  // namespace vtax::lab
