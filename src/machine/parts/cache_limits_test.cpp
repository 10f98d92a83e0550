#include "machine/parts/cache_limits.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <chrono>

#include "core/files.h"
#include "machine/parts/in_use.h"
#include "machine/parts/snapshot_store.h"

namespace vtax::lab {
namespace {

namespace fs = std::filesystem;
using std::chrono::hours;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

CachedPart part(const char* name, std::uint64_t size_bytes, int hours_ago) {
  return {name, size_bytes, fs::file_time_type() - hours(hours_ago)};
}

TEST(LongestUnused, AreThoseThatDoNotFitWithAllUsedLater) {
  EXPECT_THAT(longest_unused({}, 100), IsEmpty());
  EXPECT_THAT(longest_unused({part("a", 60, 3), part("b", 30, 1), part("c", 10, 2)}, 100), IsEmpty());
  EXPECT_THAT(longest_unused({part("a", 60, 3), part("b", 30, 1), part("c", 11, 2)}, 100), ElementsAre("a"));
  // A small old one does not outlive a large younger one that had to go.
  EXPECT_THAT(longest_unused({part("old", 1, 9), part("large", 90, 5), part("new", 50, 1)}, 100),
              ElementsAre("large", "old"));
  EXPECT_THAT(longest_unused({part("only", 500, 9)}, 100), IsEmpty());
}

class CacheLimits : public testing::Test {
 protected:
  void SetUp() override { fs::remove_all(folder_); }
  void TearDown() override { fs::remove_all(folder_); }
  [[nodiscard]] std::vector<std::string> names() const {
    std::vector<std::string> out;
    for (const auto& entry : fs::directory_iterator(folder_)) out.push_back(entry.path().filename().string());
    return out;
  }
  void image(const std::string& name, int hours_ago) const {
    fs::create_directories(folder_ / name);
    ASSERT_TRUE(write_text(folder_ / name / "vmlinux", std::string(kSize, 'x')));
    fs::last_write_time(folder_ / name, fs::file_time_type::clock::now() - hours(hours_ago));
  }
  static constexpr std::size_t kSize = 1 << 20;
  fs::path folder_ = fs::path(testing::TempDir()) / ("vtax-limits-" + std::to_string(::getpid()));
};

TEST_F(CacheLimits, TheLongestUnusedImagesGoButNoneInUse) {
  image("oldest", 30);
  image("older", 20);
  image("old", 10);
  image("new", 1);
  InUse mine = use_folder(folder_ / "older");  // used now
  limit_images(folder_, 2 * kSize + kSize / 2);
  EXPECT_THAT(names(), UnorderedElementsAre("older", "new"));
  limit_images(folder_, 1);
  EXPECT_THAT(names(), UnorderedElementsAre("older"));
  image("newer", -1);
  limit_images(folder_, 1);
  EXPECT_THAT(names(), UnorderedElementsAre("older", "newer"));  // too many, but in use
  mine.reset();
  limit_images(folder_, 1);
  EXPECT_THAT(names(), UnorderedElementsAre("newer"));
}

TEST_F(CacheLimits, BootedMachinesToo) {
  SnapshotStore store(folder_, 2 * kSize + kSize / 2);
  int boots = 0;
  const auto open = [&](const std::string& key) {
    auto machine = store.open(key, [&](const std::string& path) {
      ++boots;
      const int fd = ::truncate(path.c_str(), kSize);
      return fd == 0 ? Result<>() : fail({"cannot write", "", ""});
    });
    EXPECT_TRUE(machine);
    return machine ? std::move(*machine) : Descriptor();
  };
  const Descriptor first = open("first");
  (void)open("second");
  fs::last_write_time(folder_ / "first.machine", fs::file_time_type::clock::now() - hours(2));
  fs::last_write_time(folder_ / "second.machine", fs::file_time_type::clock::now() - hours(1));
  (void)open("first");  // used again: now the second is the one that was not used for longest
  EXPECT_EQ(boots, 2);
  (void)open("third");
  EXPECT_TRUE(store.contains("first"));
  EXPECT_FALSE(store.contains("second"));
  EXPECT_FALSE(fs::exists(folder_ / "second.lock"));
  store.remove_all();
  EXPECT_THAT(names(), IsEmpty());
  char byte = 'x';
  EXPECT_EQ(::pread(first.get(), &byte, 1, kSize - 1), 1);  // who has it open keeps it
  (void)open("first");
  EXPECT_EQ(boots, 4);
}

}  // namespace
}  // namespace vtax::lab
