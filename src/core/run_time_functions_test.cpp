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

TEST(NewestFunctions, AreWhatNothingNewerLiesOver) {
  NewestFunctions functions(1000);
  for (const char* line : {"0x2000 20 newest", "3000 10 apart", "1ff0 18 older", "nonsense",
                           "1ff8 4 below it", "2020 10 behind", "1fe0 10 before"})
    functions.add_older(line);
  EXPECT_EQ(functions.lines(), "2000 20 newest\n3000 10 apart\n2020 10 behind\n1fe0 10 before\n");
  EXPECT_EQ(functions.left_out(), 0U);
}

TEST(NewestFunctions, AreLeftOutAndCountedWhereTheyDoNotFit) {
  const std::string newest = "2000 20 newest\n";
  NewestFunctions functions(newest.size() + 5);
  for (const char* line : {"2000 20 newest", "3000 10 older", "3008 10 superseded", "4000 10 x"})
    functions.add_older(line);
  EXPECT_EQ(functions.lines(), newest);
  EXPECT_EQ(functions.left_out(), 2U);
}

// A message with them is ASCII, in which such a name has three times its bytes.
TEST(NewestFunctions, HaveRoomAsJsonWritesThem) {
  std::string wide;
  for (int i = 0; i < 100; ++i) wide += "\u00e9";
  NewestFunctions functions(500);
  functions.add_older("1000 10 narrow");
  functions.add_older("2000 10 " + wide);
  EXPECT_EQ(functions.lines(), "1000 10 narrow\n");
  EXPECT_EQ(functions.left_out(), 1U);
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
