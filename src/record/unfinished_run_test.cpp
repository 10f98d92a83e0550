#include "record/unfinished_run.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>

namespace vtax {
namespace {

namespace fs = std::filesystem;

TEST(UnfinishedRun, GoesUnlessItIsKept) {
  const fs::path file = fs::path(testing::TempDir()) / "vtax-unfinished.vtax";
  const fs::path beside = file.string() + "-wal";
  for (const bool is_kept : {false, true}) {
    std::ofstream(file) << "a run";
    std::ofstream(beside) << "a part";
    {
      UnfinishedRun run(file);
      if (is_kept) run.keep();
    }
    EXPECT_EQ(fs::exists(file), is_kept);
    EXPECT_EQ(fs::exists(beside), is_kept);
  }
  fs::remove(file);
  fs::remove(beside);
}

}  // namespace
}  // namespace vtax
