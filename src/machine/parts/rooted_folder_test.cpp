#include "machine/parts/rooted_folder.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>

#include "core/files.h"

namespace vtax::lab {
namespace {

namespace fs = std::filesystem;

class Rooted : public testing::Test {
 protected:
  Rooted() {
    std::string pattern = (fs::temp_directory_path() / "vtax-rooted-XXXXXX").string();
    around_ = ::mkdtemp(pattern.data());
    fs::create_directory(around_ / "outside");
  }
  ~Rooted() override { fs::remove_all(around_); }

  RootedFolder open() {
    auto opened = RootedFolder::open(around_ / "root", geteuid());
    EXPECT_TRUE(opened) << opened.error().text();
    return std::move(*opened);
  }
  std::string text(const char* path) const { return read_text(around_ / path).value_or("not there"); }

  fs::path around_;
};

const std::vector<std::uint8_t> kOne{'1'}, kTwo{'2'};

TEST_F(Rooted, FoldersComeByThemselvesAndTheLastFileStays) {
  RootedFolder root = open();
  ASSERT_TRUE(root.file("a/b/c", kOne, 0755));
  ASSERT_TRUE(root.file("a/b/c", kTwo, 0600));
  ASSERT_TRUE(root.directory("a/d"));
  EXPECT_EQ(text("root/a/b/c"), "2");
  EXPECT_EQ(fs::status(around_ / "root/a/b/c").permissions(), fs::perms::owner_read | fs::perms::owner_write);
  EXPECT_TRUE(fs::is_directory(around_ / "root/a/d"));
}

TEST_F(Rooted, ModesAreWhateverTheUmask) {
  const mode_t before = umask(077);
  RootedFolder root = open();
  EXPECT_TRUE(root.file("a/b", kOne, 0755));
  umask(before);
  for (const char* path : {"root", "root/a", "root/a/b"})
    EXPECT_EQ(fs::status(around_ / path).permissions(), fs::perms(0755)) << path;
}

TEST_F(Rooted, LinksLeadToItsOwnFolders) {
  RootedFolder root = open();
  ASSERT_TRUE(root.symlink("lib", "usr/lib"));  // before its target is there
  ASSERT_TRUE(root.file("lib/x", kOne));
  EXPECT_EQ(text("root/usr/lib/x"), "1");
  ASSERT_TRUE(root.symlink("absolute", "/usr"));
  ASSERT_TRUE(root.file("absolute/y", kTwo));
  EXPECT_EQ(text("root/usr/y"), "2");
}

TEST_F(Rooted, NothingIsWrittenOutside) {
  RootedFolder root = open();
  const std::string outside = (around_ / "outside").string();
  ASSERT_TRUE(root.symlink("absolute", outside));
  ASSERT_TRUE(root.symlink("relative", "../../../../../.." + outside));
  ASSERT_TRUE(root.symlink("file", outside + "/file"));
  for (const char* path : {"absolute/x", "relative/x", "../outside/x", "file"})
    static_cast<void>(root.file(path, kOne));
  EXPECT_TRUE(fs::is_empty(around_ / "outside"));
  EXPECT_EQ(text("root/file"), "1") << "a file takes the place of a link";
}

TEST_F(Rooted, LinksInACircleAreAnError) {
  RootedFolder root = open();
  ASSERT_TRUE(root.symlink("a", "b"));
  ASSERT_TRUE(root.symlink("b", "a"));
  EXPECT_FALSE(root.file("a/x", kOne));
}

}  // namespace
}  // namespace vtax::lab
