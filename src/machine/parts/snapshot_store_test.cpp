#include "machine/parts/snapshot_store.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <random>

#include "core/files.h"

namespace vtax::lab {
namespace {

namespace fs = std::filesystem;

class Snapshots : public testing::Test {
 protected:
  void SetUp() override {
    fs::remove_all(folder_);
    for (char& byte : state_) byte = static_cast<char>(random_());
  }
  void TearDown() override { fs::remove_all(folder_); }

  Descriptor open(const std::string& key) {
    auto machine = store_.open(key, [&](const std::string& path) -> Result<> {
      ++boots_;
      const Descriptor out(::open(path.c_str(), O_WRONLY | O_CLOEXEC));
      return ::write(out.get(), state_.data(), state_.size()) == static_cast<ssize_t>(state_.size())
                 ? Result<>()
                 : fail({"cannot write", "", ""});
    });
    EXPECT_TRUE(machine);
    return machine ? std::move(*machine) : Descriptor();
  }
  [[nodiscard]] fs::path file(const std::string& key) const { return folder_ / (key + ".machine"); }
  std::size_t below(std::size_t most) { return random_() % most; }

  std::mt19937 random_{20261128};
  std::string state_ = std::string(3000, '\0');
  int boots_ = 0;
  const fs::path folder_ = fs::path(testing::TempDir()) / ("vtax-snapshots-" + std::to_string(::getpid()));
  SnapshotStore store_{folder_};
};

TEST_F(Snapshots, WhatWasSavedIsSoundAndBeginsTheFile) {
  const Descriptor made = open("a");
  EXPECT_TRUE(SnapshotStore::check("a", made));
  const Descriptor again = open("a");
  EXPECT_EQ(boots_, 1);
  EXPECT_TRUE(SnapshotStore::check("a", again));
  EXPECT_TRUE(read_text(file("a")).value().starts_with(state_));
}

TEST_F(Snapshots, AnotherMachineUnderItsNameIsDamage) {
  (void)open("a");
  (void)open("b");
  fs::rename(file("b"), file("a"));
  EXPECT_FALSE(SnapshotStore::check("a", open("a")));
  EXPECT_EQ(boots_, 2);
}

TEST_F(Snapshots, OneWithoutAHashIsBootedAnew) {
  (void)open("a");
  ASSERT_TRUE(write_text(file("a"), state_));
  EXPECT_TRUE(SnapshotStore::check("a", open("a")));
  EXPECT_EQ(boots_, 2);
}

TEST_F(Snapshots, NoDamagePassesUnseen) {
  constexpr int kTries = 5000;
  (void)open("a");
  const std::string good = read_text(file("a")).value();
  for (int i = 0; i < kTries; ++i) {
    std::string bad = good;
    switch (below(4)) {
      case 0:
        bad.resize(below(bad.size()));
        break;
      case 1:
        bad.insert(below(bad.size()), 1 + below(20), static_cast<char>(random_()));
        break;
      default:
        for (std::size_t flips = 1 + below(3); flips > 0; --flips) {
          char& byte = bad[below(bad.size())];
          byte = static_cast<char>(byte + 1 + static_cast<int>(below(255)));
        }
    }
    if (bad == good) continue;
    ASSERT_TRUE(write_text(file("a"), bad));
    const Descriptor machine(::open(file("a").c_str(), O_RDONLY | O_CLOEXEC));
    ASSERT_FALSE(SnapshotStore::check("a", machine)) << "try " << i;
  }
}

}  // namespace
}  // namespace vtax::lab
