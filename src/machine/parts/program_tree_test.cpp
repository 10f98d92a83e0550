#include "machine/parts/program_tree.h"

#include <gtest/gtest.h>

namespace vtax::lab {
namespace {

ProgramFile of_bytes(std::size_t bytes) {
  ProgramFile file;
  file.held = std::make_shared<const std::vector<std::uint8_t>>(bytes);
  return file;
}

TEST(ProgramTree, TakesWholePagesOfMemoryAndSomeForEachEntry) {
  ProgramTree tree;
  tree.files["a/b/empty"] = of_bytes(0);
  tree.files["a/b/one"] = of_bytes(1);
  tree.files["a/page"] = of_bytes(4096);
  tree.files["a/more"] = of_bytes(4097);
  tree.files["a/link"].link = "page";
  tree.folders = {"a/b", "c"};
  EXPECT_EQ(tree.bytes(), 1U + 4096 + 4097);
  EXPECT_EQ(tree.memory_bytes(), 4U * 4096 + 5U * 1024 + 3U * 1024);
}

// node_modules: many files of a few hundred bytes each.
TEST(ProgramTree, OfManySmallFilesTakesMuchMoreMemoryThanTheyHaveBytes) {
  ProgramTree tree;
  for (int i = 0; i < 40'000; ++i) tree.files["node_modules/" + std::to_string(i)] = of_bytes(500);
  EXPECT_LT(tree.bytes(), ProgramTree::kMostPlainBytes);
  EXPECT_GT(tree.memory_bytes(), 190U << 20U);
}

TEST(ProgramTree, OfTooManySmallFilesIsRefused) {
  ProgramTree tree;
  for (int i = 0; i < 170'000; ++i) tree.files["node_modules/" + std::to_string(i)] = of_bytes(500);
  ASSERT_LT(tree.bytes(), ProgramTree::kMostBytes);
  CpioArchive archive;
  const Result<> added = tree.add_to(archive);
  ASSERT_FALSE(added);
  EXPECT_EQ(added.error().code, ExitCode::usage);
  EXPECT_NE(added.error().text().find("its 170000 files take 831 MiB of memory"), std::string::npos)
      << added.error().text();
}

}  // namespace
}  // namespace vtax::lab
