#include "machine/parts/content_list.h"

#include <gmock/gmock.h>
#include <unistd.h>

#include <algorithm>
#include <random>
#include <vector>

#include "core/files.h"

namespace vtax::lab {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

class ContentList : public testing::Test {
 protected:
  void SetUp() override {
    TearDown();
    fs::create_directories(good_ / "usr" / "bin");
    std::string bytes(5000, '\0');
    for (char& byte : bytes) byte = static_cast<char>(random_());
    for (const auto& [name, size] : {std::pair("vmlinux", 5000), std::pair("initrd.cpio", 300),
                                     std::pair("usr/bin/qemu", 1200), std::pair("empty", 0)})
      EXPECT_TRUE(write_text(good_ / name, bytes.substr(0, static_cast<std::size_t>(size))));
    fs::permissions(good_ / "usr/bin/qemu", fs::perms::owner_exec, fs::perm_options::add);
    fs::create_symlink("qemu", good_ / "usr" / "bin" / "kvm");
    EXPECT_TRUE(write_content_list(good_, "hash 1"));
    renew();
  }
  void TearDown() override { fs::remove_all(folder_); }

  void renew() const {
    fs::remove_all(here_);
    fs::copy(good_, here_, fs::copy_options::recursive | fs::copy_options::copy_symlinks);
  }
  int below(std::size_t most) { return static_cast<int>(random_() % most); }
  [[nodiscard]] std::string why() const {
    const auto sound = check_content(here_, "hash 1");
    return sound ? "" : sound.error().text();
  }

  // Of one kind or another; always a change.
  std::string damage() {
    std::vector<fs::path> files;
    for (const auto& entry : fs::recursive_directory_iterator(here_))
      if (entry.is_regular_file() && !entry.is_symlink()) files.push_back(entry.path());
    std::sort(files.begin(), files.end());
    const fs::path& file = files[static_cast<std::size_t>(below(files.size()))];
    std::string text = read_text(file).value();
    const std::string name = file.lexically_relative(here_).string();
    switch (below(8)) {
      case 0:
        if (!text.empty()) {
          fs::resize_file(file, static_cast<std::uintmax_t>(below(text.size())));
          return name + " is cut";
        }
        [[fallthrough]];
      case 1:
        EXPECT_TRUE(write_text(file, text + '\0'));
        return name + " is longer";
      case 2:
        fs::remove(file);
        return name + " is removed";
      case 3:
        fs::rename(file, file.string() + "2");
        return name + " has another name";
      case 4:
        EXPECT_TRUE(write_text(here_ / "usr" / ("new" + std::to_string(below(100))), ""));
        return "a file is new";
      case 5:
        fs::remove(here_ / "usr/bin/kvm");
        fs::create_symlink("qemu2", here_ / "usr/bin/kvm");
        return "a link points elsewhere";
      default:
        if (text.empty()) text = "x";
        for (int flips = 1 + below(3); flips > 0; --flips) {
          char& byte = text[static_cast<std::size_t>(below(text.size()))];
          byte = static_cast<char>(byte + 1 + below(255));
        }
        EXPECT_TRUE(write_text(file, text));
        if (name == "usr/bin/qemu") fs::permissions(file, fs::perms::owner_exec, fs::perm_options::add);
        return name + " has other bytes";
    }
  }

  std::mt19937 random_{20261128};
  const fs::path folder_ = fs::path(testing::TempDir()) / ("vtax-content-" + std::to_string(::getpid()));
  const fs::path good_ = folder_ / "good", here_ = folder_ / "here";
};

TEST_F(ContentList, WhatWasWrittenIsSound) {
  EXPECT_EQ(why(), "");
  EXPECT_TRUE(has_content_list(here_));
  EXPECT_FALSE(check_content(here_, "hash 2"));
  fs::remove(here_ / kContentListName);
  EXPECT_THAT(why(), HasSubstr("it has no list of its content"));
  EXPECT_FALSE(has_content_list(here_));
}

TEST_F(ContentList, TheDamagedFileIsNamed) {
  ASSERT_TRUE(write_text(here_ / "initrd.cpio", "other"));
  EXPECT_THAT(why(), HasSubstr("initrd.cpio is not what it was when it was made"));
  renew();
  fs::remove(here_ / "usr/bin/qemu");
  EXPECT_THAT(why(), HasSubstr("usr/bin/qemu is missing"));
  renew();
  ASSERT_TRUE(write_text(here_ / "usr/bios.bin", ""));
  EXPECT_THAT(why(), HasSubstr("usr/bios.bin does not belong there"));
  renew();
  fs::permissions(here_ / "vmlinux", fs::perms::owner_exec, fs::perm_options::add);
  EXPECT_THAT(why(), HasSubstr("vmlinux is not what"));
  renew();
  // The list of a folder that was made from something else fits its own folder alone.
  ASSERT_TRUE(write_content_list(here_, "hash 2"));
  EXPECT_THAT(why(), HasSubstr("another folder's"));
}

TEST_F(ContentList, NoDamagePassesUnseen) {
  constexpr int kTries = 2000;
  for (int i = 0; i < kTries; ++i) {
    const std::string done = damage();
    ASSERT_NE(why(), "") << "try " << i << ": " << done;
    renew();
  }
  EXPECT_EQ(why(), "");
}

}  // namespace
}  // namespace vtax::lab
