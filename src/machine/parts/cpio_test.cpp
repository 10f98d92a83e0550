#include "machine/parts/cpio.h"

#include <gtest/gtest.h>

#include <string>

namespace vtax::lab {
namespace {

std::string text(const CpioArchive& archive) {
  const auto bytes = archive.bytes();
  return {bytes.begin(), bytes.end()};
}

TEST(Cpio, WritesTheNewcFormat) {
  CpioArchive archive;
  archive.file("init", {'h', 'i'}, 0755);
  const std::string expected = std::string(
                                   "070701"
                                   "00000001"
                                   "000081ed"
                                   "00000000"
                                   "00000000"
                                   "00000001"
                                   "00000000"
                                   "00000002"
                                   "00000000"
                                   "00000000"
                                   "00000000"
                                   "00000000"
                                   "00000005"
                                   "00000000"
                                   "init\0\0",
                                   116) +
                               std::string("hi\0\0", 4) +
                               "070701"
                               "00000000"
                               "00000000"
                               "00000000"
                               "00000000"
                               "00000001"
                               "00000000"
                               "00000000"
                               "00000000"
                               "00000000"
                               "00000000"
                               "00000000"
                               "0000000b"
                               "00000000"
                               "TRAILER!!!";
  EXPECT_EQ(text(archive).substr(0, expected.size()), expected);
  EXPECT_EQ(text(archive).size(), 512U);
}

TEST(Cpio, AddsDirectoriesAboveBeforeTheirContent) {
  CpioArchive archive;
  archive.file("lib/modules/a.ko", {});
  archive.symlink("bin/sh", "../init");
  archive.character_device("dev/console", 5, 1);
  const std::string bytes = text(archive);
  std::size_t before = 0;
  for (const char* path :
       {"bin", "bin/sh", "dev", "dev/console", "lib", "lib/modules", "lib/modules/a.ko", "TRAILER!!!"}) {
    const std::size_t at = bytes.find(std::string(path) + '\0');
    ASSERT_NE(at, std::string::npos) << path;
    EXPECT_GT(at, before) << path;
    before = at;
  }
}

TEST(Cpio, OrderOfAddingDoesNotShow) {
  CpioArchive one;
  one.file("a", {1});
  one.directory("d");
  CpioArchive other;
  other.directory("d");
  other.file("a", {1});
  EXPECT_EQ(one.bytes(), other.bytes());
}

}  // namespace
}  // namespace vtax::lab
