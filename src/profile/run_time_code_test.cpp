#include "profile/run_time_code.h"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

namespace vtax::profile {
namespace {

TEST(RunTimeCode, IsReadAsTheProcessTellsIt) {
  const std::filesystem::path map = fmt::format("/tmp/perf-{}.map", getpid());
  std::ofstream(map) << "5000 10 jitted\n5010 10 unfinished";
  RunTimeCode code;
  EXPECT_EQ(code.at(getpid(), 0x5008), "jitted");
  EXPECT_EQ(code.at(getpid(), 0x5018), "");
  EXPECT_EQ(code.at(getpid(), 0x4fff), "");
  std::filesystem::remove(map);
  // A link may lead to a file that the process's user may not read.
  std::filesystem::create_symlink("/proc/self/maps", map);
  RunTimeCode other;
  EXPECT_EQ(other.at(getpid(), 0x5008), "");
  std::filesystem::remove(map);
}

}  // namespace
}  // namespace vtax::profile
