#include "core/run_time_functions.h"

#include <gtest/gtest.h>

namespace vtax {
namespace {

TEST(RunTimeFunctions, ALaterLineIsRightWhereTwoAreOfTheSamePlace) {
  RunTimeFunctions functions;
  read_run_time_functions(
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

TEST(RunTimeFunctions, AreWrittenAsLinesThatFit) {
  RunTimeFunctions functions;
  read_run_time_functions("0x1000 10 a function\n2000 20 other\n", functions);
  const std::string all = "1000 10 a function\n2000 20 other\n";
  EXPECT_EQ(run_time_lines(functions, all.size()), all);
  EXPECT_EQ(run_time_lines(functions, all.size() - 1), "1000 10 a function\n");
  EXPECT_EQ(run_time_lines({}, 100), "");
}

TEST(RunTimeFunctions, HaveNamesThatAreHarmless) {
  RunTimeFunctions functions;
  read_run_time_functions("1000 10 \x1b[31mred\n2000 10 " + std::string(5000, 'x') + "\n", functions);
  ASSERT_EQ(functions.size(), 2U);
  EXPECT_EQ(functions.at(0x1000).name, "?[31mred");
  EXPECT_LE(functions.at(0x2000).name.size(), 503U) << "and ...";
}

}  // namespace
}  // namespace vtax
