#include "cli/run_place.h"

#include <gtest/gtest.h>

#include <fstream>

namespace vtax {
namespace {

namespace fs = std::filesystem;

TEST(RunPlace, AStudysNameIsNoPath) {
  EXPECT_EQ(file_name_of("first-look"), "first-look");
  EXPECT_EQ(file_name_of("primet 2007, Fig. 3"), "primet-2007-Fig.-3");
  EXPECT_EQ(file_name_of("../evil"), "evil");
  EXPECT_EQ(file_name_of("/etc/passwd"), "etc-passwd");
  EXPECT_EQ(file_name_of("..\\evil"), "evil");
  EXPECT_EQ(file_name_of(".hidden"), "hidden");
  EXPECT_EQ(file_name_of("--out"), "out");
  EXPECT_EQ(file_name_of("a\x1b[2Jb\n$(c)"), "a-2Jb-c");
  EXPECT_EQ(file_name_of("réseau"), "réseau");
  for (const char* none : {"", "..", "/", "-", "\x1b"}) EXPECT_EQ(file_name_of(none), "study") << none;
  EXPECT_LE(file_name_of(std::string(300, 'x')).size(), 70U);
}

TEST(RunPlace, ASecondRunHasAFileOfItsOwn) {
  std::string pattern = testing::TempDir() + "/vtax-run-place-XXXXXX";
  const fs::path folder = ::mkdtemp(pattern.data());
  EXPECT_EQ(last_run_file(folder, "a"), folder / "a.vtax");
  for (const char* next : {"a.vtax", "a-2.vtax", "a-3.vtax"}) {
    EXPECT_EQ(free_run_file(folder, "a"), folder / next);
    std::ofstream(folder / next) << "";
    EXPECT_EQ(last_run_file(folder, "a"), folder / next);
  }
  fs::create_symlink("nowhere", folder / "b.vtax");
  EXPECT_EQ(free_run_file(folder, "b"), folder / "b-2.vtax");
  fs::remove_all(folder);
}

}  // namespace
}  // namespace vtax
