#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/subprocess.h"
#include "tests/lab/lab_bench.h"

namespace vtax::lab {
namespace {

using testing::HasSubstr;

// A script comes in by standard input; its end is the machine's.
TEST(LabShell, RunsAScriptInTheMachine) {
  const auto done = run_command(
      {.arguments = {"/bin/sh", "-c",
                     "echo 'echo $((6 * 7)) in $(cat /lab/role)' | " VTAX_PROGRAM " lab shell native"},
       .time_limit = std::chrono::minutes(4)});
  ASSERT_TRUE(done);
  EXPECT_EQ(done->exit_code, 0) << done->out << done->err;
  EXPECT_THAT(done->out, HasSubstr("42 in native"));
}

}  // namespace
}  // namespace vtax::lab
