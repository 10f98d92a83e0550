#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "record/testing/synthetic_run.h"
#include "report/testing/run_on_disk.h"
#include "tests/golden.h"
#include "tests/program.h"

namespace vtax {
namespace {

using testing::HasSubstr;

ProgramResult run(const std::string& arguments) {
  return run_program(VTAX_PROGRAM " " + arguments);
}

TEST(CommandLine, HelpOfEveryVerbIsAsItWas) {
  for (const char* verb : {"list", "report", "compare"}) {
    const auto result = run(std::string(verb) + " --help");
    EXPECT_EQ(result.code, 0);
    expect_golden(result.out, std::string("help-") + verb + ".txt");
  }
}

TEST(CommandLine, ListsAreAsTheyWere) {
  for (const char* what : {"platforms", "workloads", "studies"}) {
    const auto result = run(std::string("list ") + what);
    EXPECT_EQ(result.code, 0);
    expect_golden(result.out, std::string("list-") + what + ".txt");
  }
}

TEST(CommandLine, WrongUseIsExitCodeTwo) {
  EXPECT_EQ(run("").code, 2);
  EXPECT_EQ(run("report").code, 2);
  EXPECT_EQ(run("report a b").code, 2);
  EXPECT_EQ(run("report r.vtax --format nonsense").code, 2);
  const auto result = run("reprot r.vtax");
  EXPECT_EQ(result.code, 2);
  EXPECT_THAT(result.err, HasSubstr("'reprot' is not a verb\n  did you mean 'report'?"));
  EXPECT_THAT(run("report /nowhere/r.vtax").err,
              HasSubstr("cannot read run file /nowhere/r.vtax: No such file"));
}

class Reports : public testing::Test {
 protected:
  RunOnDisk disk_{synthetic_run()};
  std::string file_ = disk_.file().string();
  std::string folder_ = disk_.file().parent_path().string();
};

TEST_F(Reports, GoToAFileWholeOrNotAtAll) {
  const std::string out = folder_ + "/out.json";
  ASSERT_EQ(run("report " + file_ + " --format json -o " + out).code, 0);
  const auto size = std::filesystem::file_size(out);
  EXPECT_EQ(size, run("report " + file_ + " --format json").out.size());
  EXPECT_EQ(run("report " + file_ + " --format json --trial 1 -o " + out).code, 2);
  EXPECT_EQ(run("report " + file_ + " --format profile -o " + out).code, 2);  // which trial?
  EXPECT_EQ(std::filesystem::file_size(out), size);
  const auto files = std::distance(std::filesystem::directory_iterator(folder_), {});
  EXPECT_EQ(files, 2);  // the run and the report: no temporary file stays
}

TEST_F(Reports, ThatCannotBeWrittenSayWhy) {
  const auto full = run("report " + file_ + " -o /dev/full");
  EXPECT_EQ(full.code, 5);
  EXPECT_THAT(full.err, HasSubstr("cannot write /dev/full: No space left on device\n  free some space"));
  EXPECT_EQ(run("report " + file_ + " >/dev/full").code, 5);
  EXPECT_EQ(run("report " + file_ + " -o /nowhere/x").code, 5);
  EXPECT_THAT(run("report " + file_ + " -o /").err, HasSubstr("it is a directory"));
  EXPECT_EQ(run("report " + file_ + " -o /dev/null").code, 0);
  EXPECT_TRUE(std::filesystem::is_character_file("/dev/null"));
}

TEST_F(Reports, CompareIsAGate) {
  auto dearer = synthetic_run();
  scale_function(dearer.trials[56], "xenvif_tx_action", 1.10);
  const RunOnDisk other(dearer);
  const std::string both = file_ + " " + other.file().string();
  EXPECT_EQ(run("compare " + both).code, 0);
  EXPECT_EQ(run("compare " + both + " --fail-above 3%").code, 0);
  const auto failed = run("compare " + both + " --fail-above 2%");
  EXPECT_EQ(failed.code, 1);
  EXPECT_THAT(failed.err, HasSubstr("a cost rose by 2.35 %, above the limit of 2%"));
  for (const char* limit : {"2", "-1%", "x%", "nan%", "2%%"}) {
    EXPECT_EQ(run("compare " + both + " --fail-above=" + limit).code, 2) << limit;
  }
  EXPECT_THAT(run("compare --json " + both).out, HasSubstr("\"xen-pv\""));
}

}  // namespace
}  // namespace vtax
