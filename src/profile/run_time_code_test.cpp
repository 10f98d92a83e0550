#include "profile/run_time_code.h"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

namespace vtax::profile {
namespace {

TEST(RunTimeCode, ALaterLineIsRightWhereTwoAreOfTheSamePlace) {
  RunTimeCode::Functions functions;
  RunTimeCode::parse(
      "7f0000001000 100 LazyCompile:*first app.js:1\n"
      "0x7f0000002000 0x80 second\n"
      "nonsense\n7f00 zz bad\n7f00 0 empty\n\n"
      "7f0000001080 100 third\n",
      functions);
  ASSERT_EQ(functions.size(), 2U);
  EXPECT_EQ(functions.at(0x7f0000001080).name, "third");
  EXPECT_EQ(functions.at(0x7f0000001080).end, 0x7f0000001180U);
  EXPECT_EQ(functions.at(0x7f0000002000).name, "second");
}

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
